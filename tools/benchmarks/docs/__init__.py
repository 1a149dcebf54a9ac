"""Write the generated pages in docs/."""
