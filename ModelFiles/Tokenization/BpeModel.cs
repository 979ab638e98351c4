using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>What merging needs: ids by token text, and the merges by the pair of ids that they join.</summary>
/// <param name="Merges">Key: left id in the upper 32 bits, right id in the lower ones.</param>
/// <param name="IgnoreMerges">A word that is in the vocabulary as a whole is that token, whatever the merges would make of it (Llama 3).</param>
/// <param name="ByteFallback">A character without a token becomes its UTF-8 bytes' <c>&lt;0xNN&gt;</c> tokens.</param>
/// <param name="UnknownId">For what has no token otherwise; null lets it vanish.</param>
/// <param name="FuseUnknown">A run of unknown characters is one unknown token.</param>
internal sealed record BpeVocabulary(
    Dictionary<string, int> Ids,
    Dictionary<ulong, (int Rank, int Id)> Merges,
    bool IgnoreMerges,
    bool ByteFallback,
    int? UnknownId,
    bool FuseUnknown)
{
    public static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;
}

/// <summary>
/// Byte-pair encoding of one word: joins the neighbours with the lowest rank, leftmost first, until none can be joined.
/// A priority queue keeps it at n log n, so that one word of 100 kB is no problem. Not thread safe; made per encoding.
/// </summary>
internal sealed class BpeModel(BpeVocabulary vocabulary, bool byteLevel)
{
    private readonly List<Symbol> _symbols = [];
    private readonly PriorityQueue<(int Left, int Right, int LeftId, int RightId, int MergedId), ulong> _queue = new();

    /// <summary>Appends the ids of <paramref name="word"/>.</summary>
    public void Encode(string word, List<int> ids)
    {
        if (vocabulary.IgnoreMerges && WholeWord(word) is { } whole)
        {
            ids.Add(whole);
            return;
        }

        _symbols.Clear();
        AddSymbols(word);
        Merge();
        for (var i = _symbols.Count > 0 ? 0 : -1; i >= 0; i = _symbols[i].Next)
        {
            ids.Add(_symbols[i].Id);
        }
    }

    private int? WholeWord(string word)
    {
        var token = byteLevel
            ? string.Concat(Encoding.UTF8.GetBytes(word).Select(ByteAlphabet.ToCharacter))
            : word;
        return vocabulary.Ids.TryGetValue(token, out var id) ? id : null;
    }

    private void AddSymbols(string word)
    {
        Span<byte> utf8 = stackalloc byte[4];
        Span<char> text = stackalloc char[2];
        foreach (var rune in word.EnumerateRunes())
        {
            ReadOnlySpan<byte> bytes = utf8[..rune.EncodeToUtf8(utf8)];
            if (byteLevel)
            {
                foreach (var value in bytes)
                {
                    text[0] = ByteAlphabet.ToCharacter(value);
                    AddSymbol(text[..1], []);
                }
            }
            else
            {
                AddSymbol(text[..rune.EncodeToUtf16(text)], bytes);
            }
        }
    }

    /// <param name="fallback">The bytes to fall back to; empty when there is no falling back.</param>
    private void AddSymbol(ReadOnlySpan<char> text, ReadOnlySpan<byte> fallback)
    {
        var ids = vocabulary.Ids.GetAlternateLookup<ReadOnlySpan<char>>();
        if (ids.TryGetValue(text, out var id))
        {
            Append(id);
        }
        else if (!vocabulary.ByteFallback || fallback.IsEmpty || !AppendBytes(fallback))
        {
            AppendUnknown();
        }
    }

    private bool AppendBytes(ReadOnlySpan<byte> bytes)
    {
        Span<int> ids = stackalloc int[bytes.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            if (!vocabulary.Ids.TryGetValue($"<0x{bytes[i]:X2}>", out ids[i]))
            {
                return false;
            }
        }

        foreach (var id in ids)
        {
            Append(id);
        }

        return true;
    }

    private void AppendUnknown()
    {
        var isRun = vocabulary.FuseUnknown && _symbols.Count > 0 && _symbols[^1].Id == vocabulary.UnknownId;
        if (vocabulary.UnknownId is { } unknown && !isRun)
        {
            Append(unknown);
        }
    }

    private void Append(int id)
    {
        var index = _symbols.Count;
        if (index > 0)
        {
            _symbols[index - 1] = _symbols[index - 1] with { Next = index };
        }

        _symbols.Add(new Symbol(id, index - 1, -1));
    }

    private void Merge()
    {
        _queue.Clear();
        for (var i = 0; i + 1 < _symbols.Count; i++)
        {
            Enqueue(i, i + 1);
        }

        while (_queue.TryDequeue(out var merge, out _))
        {
            // An entry is stale when one of its symbols has been merged since.
            if (_symbols[merge.Left].Id != merge.LeftId || _symbols[merge.Left].Next != merge.Right || _symbols[merge.Right].Id != merge.RightId)
            {
                continue;
            }

            var left = _symbols[merge.Left] with { Id = merge.MergedId, Next = _symbols[merge.Right].Next };
            _symbols[merge.Left] = left;
            _symbols[merge.Right] = new Symbol(Symbol.Merged, -1, -1);
            if (left.Next >= 0)
            {
                _symbols[left.Next] = _symbols[left.Next] with { Previous = merge.Left };
                Enqueue(merge.Left, left.Next);
            }

            if (left.Previous >= 0)
            {
                Enqueue(left.Previous, merge.Left);
            }
        }
    }

    private void Enqueue(int left, int right)
    {
        var (leftId, rightId) = (_symbols[left].Id, _symbols[right].Id);
        if (vocabulary.Merges.TryGetValue(BpeVocabulary.Pair(leftId, rightId), out var merge))
        {
            _queue.Enqueue((left, right, leftId, rightId, merge.Id), ((ulong)(uint)merge.Rank << 32) | (uint)left);
        }
    }

    /// <summary>A link in the chain of the word's symbols.</summary>
    private readonly record struct Symbol(int Id, int Previous, int Next)
    {
        public const int Merged = -1;
    }
}
