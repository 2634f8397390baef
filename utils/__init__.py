"""The small package behind the lessons of Approximate Training.

Text in, word vectors and honest costs out.
"""
