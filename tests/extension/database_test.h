// A database in memory with the extension's datasets, and the connection that they share.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "extension/anchor_table.h"
#include "extension/catalog_checks.h"
#include "extension/connection.h"
#include "extension/dataset_table.h"
#include "extension/row_visitor.h"

namespace personalize {

class DatabaseTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(sqlite3_open(":memory:", &db_), SQLITE_OK);
    // As extension/init.cc, but keeping the connection that the tables share.
    connection_ = std::make_shared<Connection>(db_);
    ASSERT_TRUE(register_anchor_table(connection_).is_ok());
    ASSERT_TRUE(register_row_visitor(connection_).is_ok());
    ASSERT_TRUE(register_catalog_checks(connection_).is_ok());
    ASSERT_TRUE(register_dataset_modules(connection_).is_ok());
  }
  void TearDown() override {
    connection_.reset();
    EXPECT_EQ(sqlite3_close(db_), SQLITE_OK);
  }
  void run(const std::string& sql) {
    const Status status = connection_->execute(sql);
    ASSERT_TRUE(status.is_ok()) << status.message() << "\n" << sql;
  }

  sqlite3* db_ = nullptr;
  std::shared_ptr<Connection> connection_;
};

}  // namespace personalize
