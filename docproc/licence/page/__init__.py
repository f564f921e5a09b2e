"""The page of a licence: layout, seal art, fonts, PDF/A-3b."""
