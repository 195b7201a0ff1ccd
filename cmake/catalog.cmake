# sql/catalog.sql as a string literal in sql/catalog_sql.h, so that the file stays plain SQL.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sql/catalog.sql)
file(READ ${CMAKE_SOURCE_DIR}/sql/catalog.sql catalog_sql)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/sql/catalog_sql.h @ONLY CONTENT
"#pragma once
namespace personalize {
inline constexpr char kCatalogSql[] = R\"sql(@catalog_sql@)sql\";
}
")
