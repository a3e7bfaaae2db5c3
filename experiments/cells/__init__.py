"""Three small networks, one of each cell, as they are after some epochs: the page shows them side by side."""
