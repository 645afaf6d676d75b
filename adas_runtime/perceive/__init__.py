"""What perception sees in pictures, videos and recordings: as JSON, as a table, as a drawing."""
