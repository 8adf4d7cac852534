// Being written by the lead since 13:35; leave it to him.
