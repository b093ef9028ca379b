"""Models of frameworks in the making: what their readers share."""
