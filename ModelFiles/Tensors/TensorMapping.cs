using System.Collections.Frozen;
using System.IO.MemoryMappedFiles;

namespace ClusterLlm.ModelFiles;

/// <summary>
/// Maps the parts of the files that the given tensors need, and nothing else: memory is taken only for the pages that are touched,
/// and the system may drop them again as the files back them. Thread safe until disposed; addresses are invalid afterwards.
/// </summary>
public sealed unsafe class TensorMapping : IDisposable
{
    private readonly List<MappedRange> _ranges = [];
    private readonly FrozenDictionary<string, nint> _addresses;
    private bool _disposed;

    /// <exception cref="ModelFileException">A file can't be opened or mapped, or became shorter since its header was read.</exception>
    public TensorMapping(IEnumerable<TensorInfo> tensors)
    {
        Dictionary<string, nint> addresses = new(StringComparer.Ordinal);
        try
        {
            foreach (IGrouping<string, TensorInfo> file in tensors.DistinctBy(tensor => tensor.Name).GroupBy(tensor => tensor.FilePath))
            {
                MapFile(file.Key, [.. file.OrderBy(tensor => tensor.FileOffset)], addresses);
            }
        }
        catch
        {
            Dispose();
            throw;
        }

        _addresses = addresses.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>Bytes that are mapped: those of the tensors and of small gaps between them.</summary>
    public long MappedBytes => _ranges.Sum(range => range.ByteCount);

    /// <summary>The first byte of the tensor. Not aligned: read through unaligned loads.</summary>
    /// <exception cref="KeyNotFoundException">The mapping was made without this tensor.</exception>
    public nint Address(TensorInfo tensor)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _addresses.TryGetValue(tensor.Name, out var address)
            ? address
            : throw new KeyNotFoundException($"The mapping was made without the tensor {tensor.Name}.");
    }

    /// <summary>The bytes of a tensor of at most 2 GB.</summary>
    /// <exception cref="ArgumentException">It is longer than a span can be; use <see cref="Address"/>.</exception>
    public ReadOnlySpan<byte> Bytes(TensorInfo tensor) => tensor.ByteCount <= int.MaxValue
        ? new ReadOnlySpan<byte>((void*)Address(tensor), (int)tensor.ByteCount)
        : throw new ArgumentException($"{tensor.Name} has {tensor.ByteCount} bytes, more than a span holds; use its address.", nameof(tensor));

    /// <summary>Reads every mapped page into memory, so that the first step does not wait for the disk.</summary>
    /// <param name="progress">Gets the bytes read so far, at most once per 16 MiB and at the end.</param>
    public void Prefetch(IProgress<long>? progress, CancellationToken cancellationToken)
    {
        const long ReportBytes = 16 << 20;
        long done = 0;
        foreach (MappedRange range in _ranges)
        {
            for (long offset = 0; offset < range.ByteCount; offset += ReportBytes)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var count = Math.Min(ReportBytes, range.ByteCount - offset);
                range.Touch(offset, count);
                done += count;
                progress?.Report(done);
            }
        }
    }

    /// <summary>Unmaps everything. No thread may use an address any more.</summary>
    public void Dispose()
    {
        _disposed = true;
        foreach (MappedRange range in _ranges)
        {
            range.Dispose();
        }

        _ranges.Clear();
    }

    private void MapFile(string path, TensorInfo[] tensors, Dictionary<string, nint> addresses)
    {
        TensorInfo[] filled = [.. tensors.Where(tensor => tensor.ByteCount > 0)];
        foreach (TensorInfo empty in tensors.Where(tensor => tensor.ByteCount == 0))
        {
            addresses[empty.Name] = 0;
        }

        if (filled.Length == 0)
        {
            return;
        }

        using MemoryMappedFile file = Open(path, filled[^1]);
        foreach ((var start, var end) in Runs(filled))
        {
            var first = filled[start].FileOffset;
            MappedRange range = Map(file, path, first, filled[end - 1].FileOffset + filled[end - 1].ByteCount - first);
            _ranges.Add(range);
            for (var i = start; i < end; i++)
            {
                addresses[filled[i].Name] = (nint)(range.Pointer + (filled[i].FileOffset - first));
            }
        }
    }

    /// <summary>Neighbouring tensors share a view; a gap of more than 64 KiB starts a new one.</summary>
    private static IEnumerable<(int Start, int End)> Runs(TensorInfo[] tensors)
    {
        const long Gap = 64 << 10;
        var start = 0;
        for (var i = 1; i <= tensors.Length; i++)
        {
            if (i == tensors.Length || tensors[i].FileOffset - (tensors[i - 1].FileOffset + tensors[i - 1].ByteCount) > Gap)
            {
                yield return (start, i);
                start = i;
            }
        }
    }

    private static MemoryMappedFile Open(string path, TensorInfo last)
    {
        try
        {
            FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            if (stream.Length < last.FileOffset + last.ByteCount)
            {
                var length = stream.Length;
                stream.Dispose();
                throw new ModelFileException(
                    path, last.Name, $"ends at byte {last.FileOffset + last.ByteCount}, but the file now has {length}: it changed since its header was read");
            }

            return MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException(path, null, $"can't be mapped: {exception.Message}", exception);
        }
    }

    private static MappedRange Map(MemoryMappedFile file, string path, long offset, long byteCount)
    {
        try
        {
            return new MappedRange(file, offset, byteCount);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ModelFileException(path, null, $"bytes {offset} to {offset + byteCount} can't be mapped: {exception.Message}", exception);
        }
    }

    /// <summary>One mapped view; its pointer stays valid until disposed.</summary>
    private sealed class MappedRange : IDisposable
    {
        private readonly MemoryMappedViewAccessor _view;

        public MappedRange(MemoryMappedFile file, long offset, long byteCount)
        {
            _view = file.CreateViewAccessor(offset, byteCount, MemoryMappedFileAccess.Read);
            byte* pointer = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);

            // Views begin at a page; the offset within it is what the system added.
            Pointer = pointer + _view.PointerOffset;
            ByteCount = byteCount;
        }

        public byte* Pointer { get; }

        public long ByteCount { get; }

        public void Touch(long offset, long count)
        {
            // The smallest page of the platforms; touching a larger one several times costs nothing.
            const long PageBytes = 4096;
            for (long i = 0; i < count; i += PageBytes)
            {
                _ = Volatile.Read(ref Pointer[offset + i]);
            }

            _ = Volatile.Read(ref Pointer[offset + count - 1]);
        }

        public void Dispose()
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
        }
    }
}
