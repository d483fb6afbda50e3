"""How many processes, threads, connections and how much memory each part gets."""
