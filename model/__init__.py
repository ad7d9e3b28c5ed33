"""The studio: the style-transfer engine. It knows neither Redis nor HTTP."""
