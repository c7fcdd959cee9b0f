"""One task of a trial that is a TensorFlow cluster, in this process."""
