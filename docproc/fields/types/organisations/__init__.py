"""Who an organisation is: names, codes, licences and what it does."""
