"""A holder's licences and what is shared of them."""
