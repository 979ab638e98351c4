using System.Diagnostics;
using System.Text.Json;
using ClusterLlm.Testing;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>
/// Two ranks on two agents for tests that break them: each test finds the group running, and leaves it running again, which shows that the start after a fault
/// works.
/// </summary>
public sealed class MlxGroup : IAsyncLifetime
{
    /// <summary>Figures are for an idle machine; a test must not fail because others compute on it too.</summary>
    internal const double Slowness = 3;

    internal static readonly (int First, int End)[] Split = [(5, 7), (0, 5)];
    internal static readonly string Model = TestModels.PathOf("llama-f32");
    internal static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan UsualStallLimit = TimeSpan.FromSeconds(30);
    private static readonly byte[] LongBody = JsonSerializer.SerializeToUtf8Bytes(new { prompt = "Hello", max_tokens = 1500, temperature = 1, ignore_eos = true });

    private MlxCluster? _cluster;
    private LinkProxy? _link;
    private string? _running;
    private TimeSpan _stallLimit;

    internal MlxCluster Cluster => _cluster!;

    /// <summary>Between rank 0 and the agent of rank 1.</summary>
    internal LinkProxy Link => _link!;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Leaves all ranks ready.</summary>
    internal Task StartAsync(CancellationToken cancellation) => StartAsync(UsualStallLimit, cancellation);

    /// <param name="stallLimit">A short one is for tests that stall: a busy machine may take longer for an honest step.</param>
    internal async Task StartAsync(TimeSpan stallLimit, CancellationToken cancellation)
    {
        if (_cluster is null)
        {
            _cluster = await MlxCluster.StartAsync(2, cancellation);
            _cluster.Address = (rank, url) => rank == 1 ? _link!.Url : url;
        }

        if (_running is not null && _stallLimit == stallLimit)
        {
            return;
        }

        await EndAsync(cancellation);
        _cluster.SetOptions(options => options.StallTimeout = stallLimit);
        _link = new LinkProxy(_cluster.Agents[1].Url);
        _running = await _cluster.LaunchAsync(Model, Split, cancellation, contextTokens: 2048);
        _stallLimit = stallLimit;
    }

    /// <summary>Starts a long answer, waits for its first tokens, does what breaks it, and waits until the client's stream and both shards have ended.</summary>
    internal async Task<MlxFault> BreakAsync(Action fault, CancellationToken cancellation)
    {
        var id = _running!;
        int[] processes = [Cluster.ProcessOf(0), Cluster.ProcessOf(1)];
        var held = processes.Sum(ProcessMemory.ResidentBytes);
        var (answer, took) = await BreakStreamAsync(Cluster, fault, cancellation);
        var states = await Task.WhenAll(Enumerable.Range(0, 2).Select(rank => Cluster.WaitAsync(rank, id, Proto.ShardPhase.Failed, cancellation)));
        await EndAsync(cancellation);
        return new MlxFault(answer, took, [.. states.Select(state => state.Reason)], processes, ProcessMemory.Compare(held, processes));
    }

    /// <summary>Phase one of another model, with a folder per rank.</summary>
    internal async Task<Proto.PrepareShardResponse[]> PrepareAsync(string[] folders, (int First, int End)[] cuts, CancellationToken cancellation)
    {
        var specs = Cluster.Specs(folders[0], cuts, contextTokens: 64, concurrency: 1, deployment: "other");
        foreach (var (spec, folder) in specs.Zip(folders))
        {
            spec.Model = folder;
        }

        return await Task.WhenAll(specs.Select((spec, rank) => Cluster.Agents[rank].Shards.PrepareShardAsync(new Proto.PrepareShardRequest { Spec = spec }, cancellationToken: cancellation).ResponseAsync));
    }

    /// <summary>The next start works, and it answers.</summary>
    internal async Task AssertStartsAgainAsync(CancellationToken cancellation)
    {
        await StartAsync(cancellation);
        await AssertAnswersAsync(Cluster, cancellation);
    }

    internal static async Task AssertAnswersAsync(MlxCluster cluster, CancellationToken cancellation)
    {
        var answer = await cluster.AskAsync(new { prompt = "Hello", max_tokens = 3 }, cancellation);
        Assert.NotNull(answer.Finished);
    }

    /// <summary>A stream that is broken in the middle ends with an error, and never as if it were complete.</summary>
    internal static async Task<(MlxAnswer Answer, TimeSpan Took)> BreakStreamAsync(MlxCluster cluster, Action fault, CancellationToken cancellation)
    {
        var answer = new MlxAnswer();
        using var call = cluster.Call(LongBody, cancellation);
        var watch = new Stopwatch();
        await foreach (var happening in call.ResponseStream.ReadAllAsync(cancellation))
        {
            answer.Add(happening);
            if (answer.Chunks.Count == 3 && !watch.IsRunning)
            {
                watch.Start();
                fault();
            }
        }

        Assert.Null(answer.Finished);
        Assert.NotNull(answer.Error);
        return (answer, watch.Elapsed);
    }

    private async Task EndAsync(CancellationToken cancellation)
    {
        if (_running is not null)
        {
            await Cluster.StopAsync(cancellation);
            _running = null;
        }

        if (_link is not null)
        {
            await _link.DisposeAsync();
            _link = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        if (_link is not null)
        {
            await _link.DisposeAsync();
        }
    }
}

/// <summary>What came of a fault.</summary>
/// <param name="Took">From the fault until the client's stream had ended.</param>
/// <param name="Reasons">Of the failed shards, by rank.</param>
/// <param name="Memory">What the ranks held, and hold now.</param>
internal sealed record MlxFault(MlxAnswer Answer, TimeSpan Took, string[] Reasons, int[] Processes, string Memory);
