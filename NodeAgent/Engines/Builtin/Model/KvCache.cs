using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Model;

/// <summary>
/// Keys and values of a stage's layers: slots that grow block by block up to the context. A block holds, for each layer, first the keys
/// and then the values of each head, position after position. One thread at a time.
/// </summary>
internal sealed unsafe class KvCache(ModelConfig config, int layerCount, int contextTokens, int slots) : IDisposable
{
    private readonly nint[][] _blocks = [.. Enumerable.Range(0, slots).Select(_ => new nint[BuiltinMemory.BlocksFor(contextTokens)])];
    private readonly int[] _lengths = new int[slots];
    private readonly List<NativeBuffer> _allBlocks = [];
    private readonly Stack<nint> _freeBlocks = [];
    private readonly long _headFloats = (long)BuiltinMemory.KvBlockTokens * config.HeadDim;
    private long _tokensUsed;
    private long _allocatedBytes;
    private int _activeSlots;

    public int Slots => slots;

    public int ContextTokens => contextTokens;

    /// <summary>Tokens that all sequences hold now.</summary>
    public long TokensUsed => Volatile.Read(ref _tokensUsed);

    /// <summary>Memory taken so far; blocks are kept for the next sequence.</summary>
    public long AllocatedBytes => Volatile.Read(ref _allocatedBytes);

    /// <summary>Slots with a sequence.</summary>
    public int ActiveSlots => Volatile.Read(ref _activeSlots);

    public int Length(int slot) => _lengths[slot];

    /// <summary>Makes room for the segment's rows and forgets what lay behind its position.</summary>
    public void Extend(SequenceSegment segment)
    {
        var blocks = _blocks[segment.Slot];
        var end = segment.Position + segment.Rows;
        for (var index = 0; index < BuiltinMemory.BlocksFor(end); index++)
        {
            if (blocks[index] == 0)
            {
                blocks[index] = TakeBlock();
            }
        }

        _activeSlots += _lengths[segment.Slot] == 0 ? 1 : 0;
        _tokensUsed += end - _lengths[segment.Slot];
        _lengths[segment.Slot] = end;
    }

    /// <summary>Forgets a sequence; its blocks go to the next one.</summary>
    public void Release(int slot)
    {
        var blocks = _blocks[slot];
        for (var index = 0; index < blocks.Length && blocks[index] != 0; index++)
        {
            _freeBlocks.Push(blocks[index]);
            blocks[index] = 0;
        }

        _activeSlots -= _lengths[slot] == 0 ? 0 : 1;
        _tokensUsed -= _lengths[slot];
        _lengths[slot] = 0;
    }

    /// <param name="layer">Counted from the stage's first layer.</param>
    public HeadCache Head(int slot, int layer, int head)
    {
        var keys = ((2L * layer * config.KvHeads) + head) * _headFloats;
        return new HeadCache(_blocks[slot], BuiltinMemory.KvBlockTokens, keys, keys + (config.KvHeads * _headFloats));
    }

    /// <summary>Stores the key and the value of a position.</summary>
    public void Store(int slot, int layer, int head, int position, float* key, float* value)
    {
        var cache = Head(slot, layer, head);
        var block = (float*)cache.Blocks[position / BuiltinMemory.KvBlockTokens];
        var offset = (long)(position % BuiltinMemory.KvBlockTokens) * config.HeadDim;
        new ReadOnlySpan<float>(key, config.HeadDim).CopyTo(new Span<float>(block + cache.KeyOffset + offset, config.HeadDim));
        new ReadOnlySpan<float>(value, config.HeadDim).CopyTo(new Span<float>(block + cache.ValueOffset + offset, config.HeadDim));
    }

    public void Dispose()
    {
        foreach (var block in _allBlocks)
        {
            block.Dispose();
        }

        _allBlocks.Clear();
    }

    private nint TakeBlock()
    {
        if (_freeBlocks.TryPop(out var free))
        {
            return free;
        }

        var block = new NativeBuffer(2 * layerCount * config.KvHeads * _headFloats);
        _allBlocks.Add(block);
        _allocatedBytes += block.Count * sizeof(float);
        return (nint)block.Pointer;
    }
}
