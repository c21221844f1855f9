"""One explicit module per revision of the schema; none imports the tables, which go on changing after it."""
