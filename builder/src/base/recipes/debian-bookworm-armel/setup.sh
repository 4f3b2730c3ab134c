# Runs before any package is there, with the empty tree as $1. Everything comes from the release: nothing is to be done.
