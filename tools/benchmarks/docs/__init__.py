"""Write the generated pages and sections in docs/."""
