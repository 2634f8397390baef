"""The small package behind the lessons of Approximate Training: text in, word vectors and honest costs out."""
