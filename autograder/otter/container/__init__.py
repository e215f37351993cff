"""What runs inside a container: `otter grade`'s or Gradescope's. The scripts go into autograder.zip as they are."""
