"""The fork server: a process with TensorFlow and the model imported, from which trials are forked."""
