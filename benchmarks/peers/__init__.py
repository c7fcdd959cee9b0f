"""What people would use instead, each as a good user of it would write it; one file each.

Run as ``python -m benchmarks.peers.NAME FOLDER TRIALS``; each notes when its trials began and ended in
FOLDER.
"""
