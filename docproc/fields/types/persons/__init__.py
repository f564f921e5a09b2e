"""Who a person is: names, documents and what they say."""
