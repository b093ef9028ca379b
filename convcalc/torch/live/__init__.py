"""What imports torch: the recorder of a model's run, and how models are built. Loaded when a model is read, by no other
call."""
