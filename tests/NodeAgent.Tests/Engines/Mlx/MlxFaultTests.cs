using System.Diagnostics;
using ClusterLlm.Testing;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>What goes wrong with a running group of ranks: each time the state is clear, no answer looks complete, the memory is free, and the next start works.</summary>
[Collection(MlxProcesses.Name)]
public sealed class MlxFaultTests(MlxGroup group, MlxProcesses.Faults faults) : IClassFixture<MlxGroup>
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(2);

    [Fact(Timeout = 240_000)]
    public async Task Group_RankKilledMidStream_FailsWithinTwoSeconds()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await group.StartAsync(cancellation);

        var fault = await group.BreakAsync(() => Signal(group.Cluster.ProcessOf(1), "KILL"), cancellation);

        AssertEnded("rank 1 killed (SIGKILL) mid-stream", fault, AtOnce, fault.Reasons[1]);
        Assert.Contains("Rank 0 lost the connection to a neighbour", fault.Reasons[0], StringComparison.Ordinal);
        Assert.Contains("Rank 1 was killed (SIGKILL)", fault.Reasons[1], StringComparison.Ordinal);
        await group.AssertStartsAgainAsync(cancellation);
    }

    [Fact(Timeout = 240_000)]
    public async Task Group_RankZeroKilledMidStream_FailsWithinTwoSeconds()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await group.StartAsync(cancellation);

        var fault = await group.BreakAsync(() => Signal(group.Cluster.ProcessOf(0), "KILL"), cancellation);

        AssertEnded("rank 0 killed (SIGKILL) mid-stream", fault, AtOnce, fault.Reasons[0]);
        Assert.Contains("Rank 1 lost the connection to a neighbour", fault.Reasons[1], StringComparison.Ordinal);
        await group.AssertStartsAgainAsync(cancellation);
    }

    [Fact(Timeout = 240_000)]
    public async Task Group_RankStoppedMidStream_FailsWithinTheStallLimit()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await group.StartAsync(MlxGroup.StallLimit, cancellation);
        var victim = group.Cluster.ProcessOf(1);

        // It goes on once the other has given up: its watchdog then ends it too.
        var fault = await group.BreakAsync(() => _ = StopUntilAsync(victim, group.Cluster.ProcessOf(0), cancellation), cancellation);

        AssertEnded("rank 1 stopped (SIGSTOP) mid-stream", fault, MlxGroup.StallLimit, fault.Reasons[0]);
        Assert.Contains("Rank 0 was ended by its watchdog: no progress for 8 s", fault.Reasons[0], StringComparison.Ordinal);
        await group.AssertStartsAgainAsync(cancellation);
    }

    [Fact(Timeout = 240_000)]
    public async Task Tunnel_CutMidStream_FailsWithinTwoSeconds()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await group.StartAsync(cancellation);

        var fault = await group.BreakAsync(group.Link.Cut, cancellation);

        AssertEnded("tunnel cut mid-stream", fault, AtOnce, fault.Reasons[0]);
        Assert.All(fault.Reasons, reason => Assert.Contains("lost the connection", reason, StringComparison.Ordinal));
        await group.AssertStartsAgainAsync(cancellation);
    }

    [Fact(Timeout = 240_000)]
    public async Task Tunnel_SilentMidStream_FailsWithinTheStallLimit()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await group.StartAsync(MlxGroup.StallLimit, cancellation);

        var fault = await group.BreakAsync(() => group.Link.IsSilent = true, cancellation);

        AssertEnded("tunnel silent mid-stream, nothing closed", fault, MlxGroup.StallLimit, fault.Reasons[0]);
        await group.AssertStartsAgainAsync(cancellation);
    }

    [Fact(Timeout = 240_000)]
    public async Task Tunnel_Slowed_OnlySlows()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await group.StartAsync(cancellation);
        object body = new { prompt = "Hello", max_tokens = 8, temperature = 0 };

        var fast = await group.Cluster.AskAsync(body, cancellation);
        group.Link.Delay = TimeSpan.FromMilliseconds(20);
        var slow = await group.Cluster.AskAsync(body, cancellation);
        group.Link.Delay = TimeSpan.Zero;

        faults.Table.Add(
            "tunnel slowed by 20 ms per piece of data",
            null,
            "no fault",
            $"complete and equal; 8 tokens took {slow.Finished!.DecodeMs:0} ms instead of {fast.Finished!.DecodeMs:0} ms",
            "stays");
        Assert.Equal(fast.Text, slow.Text);
        Assert.True(slow.Finished.DecodeMs > 7 * 20);
    }

    [Fact(Timeout = 240_000)]
    public async Task Prepare_WeightsMissingOnOneNode_NamesTheFile()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await group.StartAsync(cancellation);
        var whole = TestModels.PathOf("llama-bf16-sharded");
        var partial = Directory.CreateTempSubdirectory("clusterllm-partial-");
        foreach (var file in Directory.GetFiles(whole).Where(file => !file.EndsWith("00002-of-00002.safetensors", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(partial.FullName, Path.GetFileName(file)));
        }

        var watch = Stopwatch.StartNew();
        var prepared = await group.PrepareAsync([whole, partial.FullName], [(7, 9), (0, 7)], cancellation);
        watch.Stop();
        partial.Delete(recursive: true);

        Assert.True(prepared[0].Ok);
        Assert.False(prepared[1].Ok);
        var problem = Assert.Single(prepared[1].Problems);
        faults.Table.Add("weights missing on one node", watch.Elapsed, "before anything starts", problem.Message, "nothing was loaded");
        Assert.Contains("model-00002-of-00002.safetensors", problem.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 240_000)]
    public async Task Group_AgentOfARankEnds_FailsOnTheOthers()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var cluster = await MlxCluster.StartAsync(2, cancellation);
        var id = await cluster.LaunchAsync(MlxGroup.Model, MlxGroup.Split, cancellation, contextTokens: 2048);
        int[] processes = [cluster.ProcessOf(0), cluster.ProcessOf(1)];
        var held = processes.Sum(ProcessMemory.ResidentBytes);

        var (answer, took) = await MlxGroup.BreakStreamAsync(cluster, () => _ = cluster.Agents[1].StopAsync(), cancellation);
        var state = await cluster.WaitAsync(0, id, Proto.ShardPhase.Failed, cancellation);
        await cluster.Agents[1].StopAsync();
        await cluster.StopOnAsync(0, cancellation);

        AssertEnded("agent of rank 1 ended (SIGTERM) mid-stream", new MlxFault(answer, took, [state.Reason], processes, ProcessMemory.Compare(held, processes)), TimeSpan.FromSeconds(5), state.Reason);
        Assert.Contains("Rank 0 lost the connection", state.Reason, StringComparison.Ordinal);
    }

    private void AssertEnded(string name, MlxFault fault, TimeSpan limit, string reason)
    {
        faults.Table.Add(name, fault.Took, $"{limit.TotalSeconds:0} s", $"client: {fault.Answer.Error!.Status} {fault.Answer.Error.Code}; cluster: {reason}", fault.Memory);
        Assert.Equal((503u, "engine_failed"), (fault.Answer.Error.Status, fault.Answer.Error.Code));
        Assert.True(fault.Took < limit + (AtOnce * (MlxGroup.Slowness - 1)), $"It took {fault.Took}.");
        Assert.Equal(0, fault.Processes.Sum(ProcessMemory.ResidentBytes));
    }

    private static async Task StopUntilAsync(int victim, int other, CancellationToken cancellation)
    {
        Signal(victim, "STOP");
        using var process = Process.GetProcessById(other);
        await process.WaitForExitAsync(cancellation);
        Signal(victim, "CONT");
    }

    private static void Signal(int process, string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", process.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
