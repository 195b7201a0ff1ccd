#include "extension/unseen_shelf.h"

#include "tests/engine/serving/metadata_model.h"
#include "tests/extension/database_test.h"

namespace personalize {
namespace {

class UnseenShelfTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    loaded_.model->record.dataset_group = "default";
    responder_.schema = "main";
    responder_.model = loaded_.model;
    run("CREATE VIRTUAL TABLE interactions USING personalize_interactions");
  }
  // The unseen items with the number of their known genres: "a1 b0".
  std::string unseen() {
    const Result<std::shared_ptr<const UnseenTable>> table = shelf_.get(*connection_, responder_);
    EXPECT_TRUE(table.is_ok()) << table.status().message();
    if (!table.is_ok() || table.value() == nullptr) return "none";
    std::string found;
    for (size_t i = 0; i < table.value()->size(); i++)
      found += (i == 0 ? "" : " ") + std::string(table.value()->id(i)) +
               std::to_string(table.value()->columns(i).size());
    return found;
  }
  fakes::LoadedWithMetadata loaded_{2};  // knows item0 and item1
  Responder responder_;
  UnseenShelf shelf_;
};

class NativeShelfTest : public UnseenShelfTest {
 protected:
  void SetUp() override {
    UnseenShelfTest::SetUp();
    run("CREATE VIRTUAL TABLE items USING personalize_items(GENRE string categorical)");
    run("INSERT INTO items VALUES ('item0', 'drama'), ('a', 'comedy'), ('b', 'opera')");
  }
};

TEST_F(UnseenShelfTest, AGroupWithoutItemsHasNoneUntilItGetsThem) {
  EXPECT_EQ(unseen(), "none");
  run("CREATE VIRTUAL TABLE items USING personalize_items(GENRE string categorical)");
  EXPECT_EQ(unseen(), "");
  run("INSERT INTO items VALUES ('a', 'drama')");
  EXPECT_EQ(unseen(), "a1");
  run("DROP TABLE items");
  EXPECT_EQ(unseen(), "none");
}

TEST_F(NativeShelfTest, AModelThatPlacesNoneHasNone) {
  fakes::Loaded plain(2);
  responder_.model = plain.model;
  EXPECT_EQ(unseen(), "none");
}

TEST_F(NativeShelfTest, NewChangedAndDeletedItemsShowAtTheNextQuestion) {
  EXPECT_EQ(unseen(), "a1 b0");
  run("INSERT INTO items VALUES ('c', 'drama|comedy')");
  EXPECT_EQ(unseen(), "a1 b0 c2");
  run("UPDATE items SET genre = 'drama' WHERE item_id = 'b'");
  EXPECT_EQ(unseen(), "a1 b1 c2");
  run("INSERT OR REPLACE INTO items VALUES ('a', 'none')");
  EXPECT_EQ(unseen(), "b1 c2 a0");
  run("DELETE FROM items WHERE item_id = 'b'");
  EXPECT_EQ(unseen(), "c2 a0");
  // The row number of the last row is used again.
  run("DELETE FROM items WHERE item_id = 'a'");
  run("INSERT INTO items VALUES ('d', 'drama')");
  EXPECT_EQ(unseen(), "c2 d1");
}

TEST_F(NativeShelfTest, NothingIsReadAgainWhileOnlyEventsCome) {
  const auto first = shelf_.get(*connection_, responder_);
  run("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'item0', 1)");
  const auto second = shelf_.get(*connection_, responder_);
  run("INSERT OR REPLACE INTO items VALUES ('item0', 'drama')");
  const auto third = shelf_.get(*connection_, responder_);
  EXPECT_EQ(first.value(), second.value());
  EXPECT_NE(first.value(), third.value());
}

TEST_F(NativeShelfTest, ATransactionsOwnItemsCountUntilTheyAreRolledBack) {
  EXPECT_EQ(unseen(), "a1 b0");
  run("BEGIN; INSERT INTO items VALUES ('c', 'drama')");
  EXPECT_EQ(unseen(), "a1 b0 c1");
  run("SAVEPOINT here; INSERT INTO items VALUES ('d', 'drama')");
  EXPECT_EQ(unseen(), "a1 b0 c1 d1");
  run("ROLLBACK TO here; INSERT INTO items VALUES ('e', 'drama|comedy')");
  EXPECT_EQ(unseen(), "a1 b0 c1 e2");
  run("ROLLBACK");
  EXPECT_EQ(unseen(), "a1 b0");
  run("INSERT INTO items VALUES ('f', 'drama')");
  EXPECT_EQ(unseen(), "a1 b0 f1");
}

TEST_F(NativeShelfTest, HistoriesKeepTheTableTheySpeakOf) {
  const std::shared_ptr<const UnseenTable> before = shelf_.get(*connection_, responder_).value();
  const std::span<const ColumnIndex> columns = before->columns(0);
  run("INSERT INTO items VALUES ('c', 'drama')");
  EXPECT_EQ(unseen(), "a1 b0 c1");
  EXPECT_EQ(before->size(), 2u);
  EXPECT_EQ(columns.data(), before->columns(0).data());
}

class ContentShelfTest : public UnseenShelfTest {
 protected:
  void SetUp() override {
    UnseenShelfTest::SetUp();
    run("CREATE TABLE products(id INTEGER PRIMARY KEY, genre TEXT)");
    run("INSERT INTO products VALUES (5, 'comedy'), (7, 'opera')");
  }
  void declare() {
    run("CREATE VIRTUAL TABLE items USING personalize_items(content='products', item_id='id', "
        "GENRE string categorical)");
  }
};

TEST_F(ContentShelfTest, ASmallTablesChangesShowAtTheNextQuestion) {
  declare();
  EXPECT_EQ(unseen(), "51 70");
  run("INSERT INTO products VALUES (9, 'drama|comedy')");
  EXPECT_EQ(unseen(), "51 70 92");
  run("UPDATE products SET genre = 'drama' WHERE id = 7");
  EXPECT_EQ(unseen(), "51 71 92");
  run("DELETE FROM products WHERE id = 5");
  EXPECT_EQ(unseen(), "71 92");
}

TEST_F(ContentShelfTest, RolledBackRowsAreGone) {
  declare();
  EXPECT_EQ(unseen(), "51 70");
  run("BEGIN; INSERT INTO products VALUES (9, 'drama')");
  EXPECT_EQ(unseen(), "51 70 91");
  run("SAVEPOINT here; INSERT INTO products VALUES (11, 'drama')");
  EXPECT_EQ(unseen(), "51 70 91 111");
  run("ROLLBACK TO here");
  EXPECT_EQ(unseen(), "51 70 91");
  run("ROLLBACK");
  EXPECT_EQ(unseen(), "51 70");
}

TEST_F(ContentShelfTest, ALargeTablesNewRowsShowAtOnceAndChangesInTheEnd) {
  run("INSERT INTO products WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 3000) SELECT i, 'opera' FROM n");
  declare();
  EXPECT_EQ(unseen().substr(0, 6), "51 70 ");
  run("INSERT INTO products VALUES (5000, 'drama')");
  EXPECT_TRUE(unseen().ends_with(" 50001"));
  run("UPDATE products SET genre = 'drama' WHERE id = 7");
  bool seen = false;
  for (int question = 0; question < 1'000'000 && !seen; question++)
    seen = unseen().starts_with("51 71 ");
  EXPECT_TRUE(seen);
  run("DELETE FROM products WHERE id > 10");
  EXPECT_EQ(unseen(), "51 71");  // fewer rows than before are read again at once
}

TEST_F(ContentShelfTest, ALostColumnIsAnErrorAndNothingOfItIsKept) {
  declare();
  EXPECT_EQ(unseen(), "51 70");
  run("ALTER TABLE products RENAME COLUMN genre TO kind");
  EXPECT_FALSE(shelf_.get(*connection_, responder_).is_ok());
  run("ALTER TABLE products RENAME COLUMN kind TO genre");
  EXPECT_EQ(unseen(), "51 70");
}

}  // namespace
}  // namespace personalize
