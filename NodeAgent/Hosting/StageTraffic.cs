using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace ClusterLlm.NodeAgent.Hosting;

/// <summary>Fits a server to what stages send each other: kilobytes for a token, megabytes for a chunk of a prompt.</summary>
internal static class StageTraffic
{
    // A chunk of 256 tokens of a model with 4096 floats each.
    private const int StreamWindowBytes = 4 * 1024 * 1024;

    public static void AddStageTraffic(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, LargeBlockPools>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // With the usual 768 KiB a sender waits in the middle of a chunk until the other end has said that it read some.
            kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindowBytes;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 2 * StreamWindowBytes;
        });
    }
}

/// <summary>Gives Kestrel blocks of 32 KiB in place of 4 KiB: it receives, encrypts and hands on a block at a time, and stage traffic comes in megabytes.</summary>
/// <remarks>
/// Measured by <c>Benchmarks tls</c> (docs/security.md): a MiB takes a third less time, in plain text and encrypted; blocks above 32 KiB gain nothing more. An
/// encrypted connection that is idle holds two of them.
/// </remarks>
internal sealed class LargeBlockPools : IMemoryPoolFactory<byte>
{
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new Pool();

    private sealed class Pool : MemoryPool<byte>
    {
        private const int BlockBytes = 32 * 1024;

        // 2 MiB that wait for the next burst.
        private const int MostKept = 64;

        private readonly ConcurrentQueue<Block> _free = new();
        private int _kept;
        private volatile bool _disposed;

        public override int MaxBufferSize => BlockBytes;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
            if (_free.TryDequeue(out var block))
            {
                Interlocked.Decrement(ref _kept);
                block.Take();
                return block;
            }

            return new Block(this);
        }

        protected override void Dispose(bool disposing)
        {
            _disposed = true;
            _free.Clear();
        }

        private void Return(Block block)
        {
            if (!_disposed && Interlocked.Increment(ref _kept) <= MostKept)
            {
                _free.Enqueue(block);
            }
            else
            {
                Interlocked.Decrement(ref _kept);
            }
        }

        private sealed class Block(Pool pool) : IMemoryOwner<byte>
        {
            // Pinned, so that the socket need not pin it for each operation.
            private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);
            private int _returned;

            public Memory<byte> Memory => _bytes;

            public void Take() => Volatile.Write(ref _returned, 0);

            public void Dispose()
            {
                if (Interlocked.Exchange(ref _returned, 1) == 0)
                {
                    pool.Return(this);
                }
            }
        }
    }
}
