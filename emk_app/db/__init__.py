"""The database: engine, tables, repositories."""
