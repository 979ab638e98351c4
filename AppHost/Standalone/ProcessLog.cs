using System.Threading.Channels;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>One line that a process wrote.</summary>
/// <param name="Number">Counts from 1 over all runs of the process.</param>
/// <param name="IsError">True when it came from standard error.</param>
internal sealed record LogLine(long Number, string Text, bool IsError);

/// <summary>What a process writes: kept in a file of limited size, the last lines in memory, and passed on to whoever follows.</summary>
internal sealed class ProcessLog : IDisposable
{
    /// <summary>Lines kept in memory for showing.</summary>
    public const int KeptLines = 2000;

    private readonly Lock _gate = new();
    private readonly Queue<LogLine> _kept = new();
    private readonly List<Channel<LogLine>> _followers = [];
    private readonly long _mostBytes;
    private StreamWriter? _file;
    private long _written;
    private long _count;

    /// <param name="path">The file; an earlier one is moved to <c>{path}.1</c>.</param>
    /// <param name="mostBytes">Size at which the file is moved away and a new one begun, so that two of this size are kept at most.</param>
    public ProcessLog(string path, long mostBytes)
    {
        Path = path;
        _mostBytes = mostBytes;
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        _file = Begin();
    }

    public string Path { get; }

    /// <summary>Lines written so far; also the number of the newest one.</summary>
    public long Count
    {
        get
        {
            lock (_gate)
            {
                return _count;
            }
        }
    }

    public void Append(string text, bool isError)
    {
        lock (_gate)
        {
            var line = new LogLine(++_count, text, isError);
            _kept.Enqueue(line);
            if (_kept.Count > KeptLines)
            {
                _kept.Dequeue();
            }

            Write(text);
            foreach (var follower in _followers)
            {
                follower.Writer.TryWrite(line);
            }
        }
    }

    /// <summary>The newest lines, at most <paramref name="count"/>.</summary>
    public IReadOnlyList<LogLine> Last(int count)
    {
        lock (_gate)
        {
            return [.. _kept.TakeLast(count)];
        }
    }

    /// <summary>The kept lines, then each new one, until <paramref name="cancellationToken"/> ends it.</summary>
    public async IAsyncEnumerable<LogLine> FollowAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A reader that falls behind loses the oldest lines; the file has them all.
        var channel = Channel.CreateBounded<LogLine>(new BoundedChannelOptions(KeptLines * 2) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_gate)
        {
            foreach (var line in _kept)
            {
                channel.Writer.TryWrite(line);
            }

            _followers.Add(channel);
        }

        try
        {
            await foreach (var line in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return line;
            }
        }
        finally
        {
            lock (_gate)
            {
                _followers.Remove(channel);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _file?.Dispose();
            _file = null;
        }
    }

    /// <summary>A full disk costs the file, not the process that is being supervised: the lines in memory go on.</summary>
    private void Write(string text)
    {
        try
        {
            if (_written > _mostBytes)
            {
                _file?.Dispose();
                _file = Begin();
            }

            _file?.WriteLine(text);
            _written += text.Length + 1;
        }
        catch (IOException failure)
        {
            _file = null;
            _kept.Enqueue(new(++_count, $"The log file {Path} can't be written any more: {failure.Message}", IsError: true));
        }
    }

    private StreamWriter Begin()
    {
        if (File.Exists(Path))
        {
            File.Move(Path, Path + ".1", overwrite: true);
        }

        _written = 0;
        return new(new FileStream(Path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)) { AutoFlush = true };
    }
}
