"""One query language over everything that is counted: metrics by dimensions, filtered, compared, in pages."""
