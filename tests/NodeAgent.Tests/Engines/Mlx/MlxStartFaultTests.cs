using System.Diagnostics;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Mlx;
using ClusterLlm.NodeAgent.Engines.Mlx.Splitting;
using ClusterLlm.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>What goes wrong before a group is ready: the launch fails with the reason, the other rank is freed, and the next launch works.</summary>
[Collection(MlxProcesses.Name)]
public sealed class MlxStartFaultTests(MlxStartFaultTests.FaultyNode nodes, MlxProcesses.Faults faults) : IClassFixture<MlxStartFaultTests.FaultyNode>
{
    private const string Cgroups = "/sys/fs/cgroup/memory";
    private const int ReadySeconds = 10;

    [Fact(Timeout = 240_000)]
    public async Task Start_EngineNeverReady_FailsAtItsLimit()
    {
        var cluster = await nodes.StartAsync(TestContext.Current.CancellationToken);
        var usual = new MlxOptions().ReadyTimeout;
        cluster.SetOptions(options => options.ReadyTimeout = TimeSpan.FromSeconds(ReadySeconds));
        var (error, took) = await FailAsync("sleep", TestContext.Current.CancellationToken);
        cluster.SetOptions(options => options.ReadyTimeout = usual);

        faults.Table.Add("engine never ready", took, $"{ReadySeconds} s and what ending it takes", error, nodes.Memory());
        Assert.Contains($"was not ready within {ReadySeconds} s; it was starting Python", error, StringComparison.Ordinal);
        await nodes.AssertStartsAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 240_000)]
    public async Task Start_OutOfMemoryOnOneNode_SaysSo()
    {
        Assert.SkipUnless(Directory.Exists(Cgroups) && Environment.UserName == "root", "This machine has no memory cgroup that this user can make.");

        var (error, took) = await FailAsync("limit", TestContext.Current.CancellationToken);
        foreach (var cgroup in Directory.GetDirectories(Cgroups, "clusterllm-*"))
        {
            Directory.Delete(cgroup);
        }

        faults.Table.Add("out of memory on one node (cgroup of 40 MB)", took, "as soon as the kernel kills it", error, nodes.Memory());
        Assert.Contains("Rank 1 was killed (SIGKILL): by hand, or by the system because memory ran out", error, StringComparison.Ordinal);
        await nodes.AssertStartsAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 120_000)]
    public async Task Prepare_WrongVersionOnOneNode_IsRefused()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var script = new PythonScript("[ \"$2\" = clusterllm_mlx.probe ] && exec \"$PYTHON\" \"$@\" | sed 's/\"fault\": null/\"fault\": \"mlx-lm 0.31.0 is installed, 0.32.2 is needed\"/'; [ \"$2\" = clusterllm_mlx.probe ] && exit 0");
        await using var cluster = await MlxCluster.StartAsync([[], [("Engines:Mlx:Python", script.Path)]], cancellation);
        var watch = Stopwatch.StartNew();

        var error = await Assert.ThrowsAsync<ClusterStartException>(() => cluster.LaunchAsync(MlxGroup.Model, MlxGroup.Split, cancellation));

        faults.Table.Add("wrong version on one node", watch.Elapsed, "before anything starts", error.Message, "nothing was loaded");
        Assert.Contains("Rank 1 (node-2) can't use MLX", error.Message, StringComparison.Ordinal);
        Assert.Contains("mlx-lm 0.31.0 is installed, 0.32.2 is needed", error.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 240_000)]
    public async Task Start_SplitThatAnswersUnlikeTheWholeModel_ServesNothing()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var cluster = await nodes.StartAsync(cancellation);
        // No other test lets the gate compare this model.
        var model = ModelFolder.Open(TestModels.PathOf("llama3-rope-scaling"));
        var other = new SplitAnswer([.. Enumerable.Repeat(7, 12)], [.. Enumerable.Repeat(-0.1, 12)], [.. Enumerable.Repeat(5.0, 12)]);
        cluster.Agents[0].Services.GetRequiredService<SplitReferences>().Store(model, other);
        var watch = Stopwatch.StartNew();

        var error = await Assert.ThrowsAsync<ClusterStartException>(() => cluster.LaunchAsync(model.Path, [(1, model.Config.LayerCount), (0, 1)], cancellation));

        faults.Table.Add("split answers unlike the whole model", watch.Elapsed, "before it is ready", error.Message, nodes.Memory());
        Assert.Contains("The split model answers wrongly: token 1 is", error.Message, StringComparison.Ordinal);
    }

    private async Task<(string Error, TimeSpan Took)> FailAsync(string mode, CancellationToken cancellation)
    {
        var cluster = await nodes.StartAsync(cancellation);
        nodes.Mode = mode;
        var watch = Stopwatch.StartNew();
        var error = await Assert.ThrowsAsync<ClusterStartException>(() => cluster.LaunchAsync(MlxGroup.Model, MlxGroup.Split, cancellation));
        nodes.Mode = "";
        return (error.Message, watch.Elapsed);
    }

    /// <summary>Two agents; what the second one's Python does when it is started as a rank is chosen by <see cref="Mode"/>.</summary>
    public sealed class FaultyNode : IAsyncLifetime
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("clusterllm-mode-");
        private PythonScript? _script;
        private MlxCluster? _cluster;

        private string ModeFile => Path.Combine(_folder.FullName, "mode");

        private string ProcessFile => Path.Combine(_folder.FullName, "pid");

        /// <summary><c>sleep</c>: gets nowhere; <c>limit</c>: runs in a cgroup that is too small; empty: works.</summary>
        internal string Mode
        {
            set => File.WriteAllText(ModeFile, value);
        }

        public ValueTask InitializeAsync() => ValueTask.CompletedTask;

        internal async Task<MlxCluster> StartAsync(CancellationToken cancellation)
        {
            if (_cluster is null)
            {
                Mode = "";
                _script = new PythonScript(
                    $"""
                    if [ "$2" = clusterllm_mlx ]; then
                      echo $$ > {ProcessFile}
                      case "$(cat {ModeFile})" in
                        sleep) exec sleep 300 ;;
                        limit) D={Cgroups}/clusterllm-$$; mkdir $D && echo 40M > $D/memory.limit_in_bytes && echo $$ > $D/tasks ;;
                      esac
                    fi
                    """);
                _cluster = await MlxCluster.StartAsync([[], [("Engines:Mlx:Python", _script.Path)]], cancellation);
            }

            return _cluster;
        }

        internal async Task AssertStartsAsync(CancellationToken cancellation)
        {
            await _cluster!.LaunchAsync(MlxGroup.Model, MlxGroup.Split, cancellation);
            await MlxGroup.AssertAnswersAsync(_cluster, cancellation);
            await _cluster.StopAsync(cancellation);
        }

        /// <summary>Neither rank's process is left.</summary>
        internal string Memory()
        {
            Assert.Empty(_cluster!.RunningProcesses);
            var process = int.Parse(File.ReadAllText(ProcessFile), System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(0, ProcessMemory.ResidentBytes(process));
            return "0 MB after";
        }

        public async ValueTask DisposeAsync()
        {
            if (_cluster is not null)
            {
                await _cluster.DisposeAsync();
            }

            _script?.Dispose();
            _folder.Delete(recursive: true);
        }
    }
}
