"""The one owner of road users: radar and a supplier's tracker become one list, each road user once."""
