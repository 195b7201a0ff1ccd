// The made-up database that bench/questions asks: users of 100 events each, nine in ten of one
// topic of 100 items, smaller topics more often; and a version of hrnn, trained for one epoch.
#pragma once

#include <string>

namespace bench {

inline constexpr int kEventsOfUser = 100;

struct CatalogueSize {
  int items, width;  // width: numbers of an item's vector

  // 'ITEMS:WIDTH'; dies if it is something else.
  static CatalogueSize parse(const std::string& text);
  // Enough that each item has twenty events or so, within a minute of training.
  int users() const;
  std::string name() const;
};

// The id of user 0, 1, ... users() - 1.
std::string user_id(int user);

// Makes the database in `work`, in place of one that is there; gives its path. It has the campaign
// 'home', which serves 'questions/latest'.
std::string make_questions_database(const std::string& extension, const std::string& work,
                                    const CatalogueSize& size);

}  // namespace bench
