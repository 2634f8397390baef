"""Text in, ids out: loading, the vocabulary, subsampling, and PTB without a network."""

import hashlib
import importlib.util
import io
import sys
import zipfile
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import requests
import torch
from hypothesis import given
from hypothesis import strategies as st

from utils import corpus, d2l_bridge
from utils.corpus import load_corpus, tokenize
from utils.vocabulary import Vocab, keep_probability, subsample

TEXT = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=8), max_size=12)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder in place of the user's."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(corpus, "cache_folder", lambda: folder)
    return folder


# the default corpus


def test_the_default_corpus(cache, monkeypatch):
    """The size that the lessons quote; the second call reads the cache and gives the same."""
    sentences = load_corpus()
    words = Counter(word for sentence in sentences for word in sentence)
    assert (
        abs(sum(words.values()) - 466_576) < 2_000
        and abs(sum(n >= 5 for n in words.values()) - 8_964) < 50
    )
    assert abs(words["bank"] - 59) <= 3 and words["france"] > 50
    assert min(map(len, sentences)) > 1 and not any(
        sentence[0] == "redirect" for sentence in sentences
    )
    monkeypatch.setattr(
        corpus, "_clean_wikipedia", lambda: pytest.fail("the text was cleaned a second time")
    )
    assert load_corpus("wikipedia") == sentences
    assert len(list(cache.iterdir())) == 1


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way of a folder")
    monkeypatch.setattr(corpus, "cache_folder", lambda: tmp_path / "file" / "cache")
    monkeypatch.setattr(
        corpus, "_clean_wikipedia", lambda: iter([["two", "words"], ["and", "three", "more"]])
    )
    assert load_corpus() == [["two", "words"], ["and", "three", "more"]]
    assert (tmp_path / "file").read_text() == "in the way of a folder"


# the reader's own text


@pytest.mark.parametrize(
    "content, sentences",
    [
        (b"One river.\nTwo rivers!\n", [["one", "river"], ["two", "rivers"]]),
        (b"\xef\xbb\xbfOne river.\nTwo", [["one", "river"], ["two"]]),
        (b"One river.\r\nTwo rivers!\r\n", [["one", "river"], ["two", "rivers"]]),
        (b"\n\n one\n \t\n1912\n\ntwo 2 three\n\n", [["one"], ["two", "three"]]),
        ("Fluß, été; 河\nне знаю".encode(), [["fluß", "été", "河"], ["не", "знаю"]]),
    ],
)
@pytest.mark.parametrize("as_text", [False, True])
def test_own_file(content, sentences, as_text, tmp_path):
    path = tmp_path / "my.txt"
    path.write_bytes(content)
    assert load_corpus(str(path) if as_text else path) == sentences


def test_tokens_are_lower_case_runs_of_letters():
    assert tokenize("Rivers, 1912! U.S. don't") == ["rivers", "u", "s", "don", "t"]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"caf\xe9 au lait", "is not UTF-8 from about line 1 on"),
        (b"abc\xff", "is not UTF-8 from about line 1 on"),
        (b"", "holds no words"),
        (b" \n 1912 \n", "holds no words"),
    ],
)
def test_a_file_that_is_no_text_is_refused(content, message, tmp_path):
    path = tmp_path / "my.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"my.txt.*{message}"):
        load_corpus(path)


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file .*absent.txt"):
        load_corpus(tmp_path / "absent.txt")
    with pytest.raises(ValueError, match="is a folder"):
        load_corpus(tmp_path)


# the vocabulary


@given(TEXT, st.integers(1, 4))
def test_encoding_and_back(sentences, min_count):
    """ids -> words gives the text back, less the rare words, and sentence ids say where each word
    stood.
    """
    counted = Counter(word for sentence in sentences for word in sentence)
    if max(counted.values(), default=0) < min_count:
        with pytest.raises(ValueError):
            Vocab(sentences, min_count)
        return
    vocab = Vocab(sentences, min_count)
    ids, sentence_of = vocab.encode(sentences)
    assert ids.dtype == sentence_of.dtype == torch.int64
    got = [(s, vocab.words[i]) for s, i in zip(sentence_of.tolist(), ids.tolist(), strict=True)]
    assert got == [
        (s, w) for s, sentence in enumerate(sentences) for w in sentence if counted[w] >= min_count
    ]


@given(TEXT.filter(any))
def test_order_counts_and_ids(sentences):
    """Most frequent first, ties in alphabetical order."""
    vocab = Vocab(sentences, min_count=1)
    counted = Counter(word for sentence in sentences for word in sentence)
    assert vocab.words == sorted(counted, key=lambda word: (-counted[word], word))
    assert (
        vocab.counts.tolist() == [counted[word] for word in vocab.words]
        and vocab.counts.dtype == torch.int64
    )
    assert [vocab[word] for word in vocab.words] == list(range(len(vocab)))
    assert "a" in vocab or "a" not in counted
    assert "z" not in vocab


def test_max_size_and_the_usual_minimum():
    sentences = [["b", "a", "c", "a", "b", "d"]] * 4 + [["a"]]
    assert Vocab(sentences).words == ["a", "b"]
    assert Vocab(sentences, min_count=1, max_size=3).words == ["a", "b", "c"]
    assert Vocab(sentences, min_count=1, max_size=9).words == ["a", "b", "c", "d"]


def test_an_empty_text_is_encoded_as_nothing():
    vocab = Vocab([["a"]], min_count=1)
    for nothing in ([[]], [["b"]], []):
        assert [part.tolist() for part in vocab.encode(nothing)] == [[], []]


@pytest.mark.parametrize(
    "sentences, options, message",
    [
        ([], {}, "the corpus is empty"),
        ([[], []], {}, "the corpus is empty"),
        (
            [["a", "b", "a"]],
            {"min_count": 3},
            "no word occurs 3 times: the largest count is 2 \\('a'\\)",
        ),
        ([["a"]], {"min_count": 1, "max_size": 0}, "max_size is 0"),
    ],
)
def test_a_vocabulary_without_words_is_refused(sentences, options, message):
    with pytest.raises(ValueError, match=message):
        Vocab(sentences, **options)


def test_an_unknown_word_is_answered_with_near_spellings():
    vocab = Vocab([["river", "rivers", "bank"]], min_count=1)
    with pytest.raises(KeyError, match="'rivver' is not among the 3 words .*near spellings: river"):
        vocab["rivver"]
    with pytest.raises(KeyError, match="'xyz' is not among the 3 words of the vocabulary\"$"):
        vocab["xyz"]


# subsampling

COUNTS = [900, 90, 9, 1]


def zipf_vocab():
    return Vocab([[word] * n for word, n in zip("abcd", COUNTS, strict=True)], min_count=1)


@pytest.mark.parametrize("t", [1e-5, 1e-3, 0.05])
@pytest.mark.parametrize("rule", ["paper", "word2vec"])
def test_keep_probability(rule, t):
    """min(1, sqrt(t/f)) as in the paper, min(1, (sqrt(f/t) + 1) t/f) as word2vec.c writes it."""
    f = np.array(COUNTS) / 1000
    expected = np.sqrt(t / f) if rule == "paper" else (np.sqrt(f / t) + 1) * t / f
    np.testing.assert_allclose(
        keep_probability(zipf_vocab().counts, t, rule), np.minimum(expected, 1), rtol=1e-12
    )


@pytest.mark.parametrize("rule", ["paper", "word2vec"])
def test_subsample_keeps_each_word_at_its_rate(rule):
    vocab = zipf_vocab()
    ids = torch.arange(4).repeat(20_000)
    mask = subsample(ids, vocab, 0.01, rule, torch.Generator().manual_seed(0))
    rates = np.array([mask[ids == word].double().mean().item() for word in range(4)])
    ratio = 0.01 / (np.array(COUNTS) / 1000)
    expected = np.minimum(np.sqrt(ratio) + (ratio if rule == "word2vec" else 0), 1)
    assert mask.dtype == torch.bool and mask.shape == ids.shape
    assert (np.abs(rates - expected) <= 5 * np.sqrt(expected * (1 - expected) / 20_000)).all()


def test_subsample_uses_the_paper_s_rule_at_1e_3_and_the_generator():
    ids = torch.zeros(5000, dtype=torch.int64)
    vocab = zipf_vocab()
    masks = [
        subsample(ids, vocab, **options, generator=torch.Generator().manual_seed(seed))
        for seed, options in ((0, {}), (0, {"t": 1e-3, "rule": "paper"}), (1, {}))
    ]
    assert masks[0].equal(masks[1]) and not masks[0].equal(masks[2])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"t": 0.0}, "threshold t is 0"),
        ({"t": -1e-3}, "threshold t is -0.001"),
        ({"t": float("nan")}, "threshold t is nan"),
        ({"t": float("inf")}, "threshold t is inf"),
        ({"rule": "fasttext"}, "rule is 'fasttext'; choose one of 'paper', 'word2vec'"),
    ],
)
def test_bad_thresholds_and_rules_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        subsample(torch.zeros(3, dtype=torch.int64), zipf_vocab(), **options)


# PTB: a small archive in its place, and answers made up in place of the network


@pytest.fixture
def ptb(cache, monkeypatch):
    """The bytes of a small archive that stands for PTB; asking the network fails."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("ptb/ptb.train.txt", " no it was n't <unk> \n\n mr. N is chairman \n")
    archive = content.getvalue()
    monkeypatch.setattr(corpus, "PTB_ADDRESS", "http://ptb.invalid/folder/ptb.zip")
    monkeypatch.setattr(corpus, "PTB_SHA1", hashlib.sha1(archive).hexdigest())
    monkeypatch.setattr(requests, "get", lambda *_, **__: pytest.fail("the network was asked"))
    return archive


def serve(monkeypatch, content, broken=False, status=None):
    """Let requests.get answer with the given bytes, or break off behind them."""

    def pieces(size):
        yield content[:10]
        yield content[10:]
        if broken:
            raise requests.ConnectionError("connection lost")

    def raise_for_status():
        if status:
            raise requests.HTTPError(status)

    answer = SimpleNamespace(iter_content=pieces, raise_for_status=raise_for_status)
    monkeypatch.setattr(requests, "get", lambda *_, **__: answer)


def test_ptbs_address_and_hash_are_d2ls():
    d2l = pytest.importorskip("d2l") and d2l_bridge.import_d2l()
    assert d2l.DATA_HUB["ptb"] == (corpus.PTB_ADDRESS, corpus.PTB_SHA1)


def test_ptb_is_loaded_and_kept(ptb, cache, monkeypatch, capsys):
    expected = [["no", "it", "was", "n't", "<unk>"], ["mr.", "N", "is", "chairman"]]
    with monkeypatch.context() as patch:
        serve(patch, ptb)
        assert load_corpus("ptb") == expected
    assert capsys.readouterr().out == ""
    assert load_corpus("ptb") == expected  # without the network


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-10], lambda content: b"<html>junk</html>"]
)
def test_ptb_that_is_not_what_it_should_be_is_removed(damage, ptb, cache, monkeypatch):
    serve(monkeypatch, damage(ptb))
    with pytest.raises(ValueError, match=r"ptb.invalid sent is not PTB .* load_corpus\(\)"):
        load_corpus("ptb")
    assert list(cache.iterdir()) == []


def test_a_damaged_ptb_in_the_cache_is_downloaded_again(ptb, cache, monkeypatch):
    cache.mkdir()
    (cache / "ptb.zip").write_bytes(b"half a file")
    serve(monkeypatch, ptb)
    assert len(load_corpus("ptb")) == 2


def test_ptb_without_a_network(ptb, cache, monkeypatch):
    """The host is named, so is the way out, and the request has a limit."""
    asked = {}

    def unreachable(url, **options):
        asked.update(options)
        raise requests.ConnectionError("no route to host")

    monkeypatch.setattr(requests, "get", unreachable)
    with pytest.raises(ConnectionError, match=r"ptb.invalid does not answer .* load_corpus\(\)"):
        load_corpus("ptb")
    assert 0 < asked["timeout"] <= 5
    assert list(cache.iterdir()) == []


def test_ptb_that_the_host_does_not_have(ptb, cache, monkeypatch):
    serve(monkeypatch, b"", status=404)
    with pytest.raises(ConnectionError, match=r"cannot be downloaded .HTTPError.*load_corpus\(\)"):
        load_corpus("ptb")


def test_ptb_broken_off(ptb, cache, monkeypatch):
    serve(monkeypatch, ptb, broken=True)
    with pytest.raises(ConnectionError, match=r"broke off \(ConnectionError\).* load_corpus\(\)"):
        load_corpus("ptb")
    assert list(cache.iterdir()) == []


def test_without_d2l(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert d2l_bridge.import_d2l() is None
    assert d2l_bridge.d2l_pipeline([["a", "b"]]) is None
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2 and all("pip install --no-deps d2l" in line for line in printed)


def test_the_stand_ins_for_torchvision_are_gone_after_the_import(monkeypatch):
    """Imported afresh with a torchvision that fails to load.

    A true one, where it works, is left alone.
    """
    pytest.importorskip("d2l")
    for name in [name for name in sys.modules if name.split(".")[0] in ("d2l", "torchvision")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchvision", None)  # import torchvision raises ImportError
    d2l = d2l_bridge.import_d2l()
    assert hasattr(d2l, "Timer") and not hasattr(d2l.torchvision, "__file__")
    assert not [name for name in sys.modules if name.split(".")[0] == "torchvision"]


def test_d2l_draws_png(monkeypatch):
    from matplotlib_inline import backend_inline

    pytest.importorskip("d2l")
    formats = []
    monkeypatch.setattr(
        backend_inline, "set_matplotlib_formats", lambda *names: formats.extend(names)
    )
    d2l_bridge.import_d2l().use_svg_display()
    assert formats == ["png"]


def test_d2l_pipeline_counts_its_pairs(sentences, monkeypatch):
    """With window 1 and nothing subsampled: every neighbour of every word."""
    d2l = d2l_bridge.import_d2l()
    if d2l is None:
        pytest.skip("d2l is not installed")
    counter = Counter(word for sentence in sentences for word in sentence)
    monkeypatch.setattr(d2l, "subsample", lambda sentences, vocab: (sentences, counter))
    result = d2l_bridge.d2l_pipeline(sentences, K=2, window=1)
    assert result.pop("pairs") == 2 * sum(len(sentence) - 1 for sentence in sentences)
    assert list(result) == ["vocabulary", "subsampling", "windows", "noise words"]
    assert all(seconds >= 0 for seconds in result.values())
