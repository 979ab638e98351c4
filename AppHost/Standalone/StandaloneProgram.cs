using ClusterLlm.AppHost.Output;
using ClusterLlm.AppHost.Settings;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>The standalone host as a program: checks what can be checked first, then runs until it is asked to end.</summary>
internal static class StandaloneProgram
{
    private const int CannotStart = 1;

    private static readonly TimeSpan LeftoverLimit = TimeSpan.FromSeconds(10);

    /// <param name="reason">Why it is this host that runs.</param>
    public static async Task<int> RunAsync(AppHostSettings settings, string reason, TextWriter output, TextWriter errors)
    {
        var facts = BuildFacts.Read();
        (settings, var agents) = LocalAgents.Decide(settings, LocalAgents.ReadRemoteNodes(settings.Home));
        var topology = ClusterTopology.Build(settings, facts.SamplesFolder);
        using var stop = StopRequest.Listen();
        try
        {
            using var held = HomeLock.TryTake(settings.Home, HomeLock.AppHost);
            if (held is null)
            {
                return Refuse([InUse(settings.Home)], errors, CannotStart);
            }

            if (facts.Missing(topology) is { Count: > 0 } missing)
            {
                return Refuse(missing, errors, CannotStart);
            }

            if (PortPolicy.FixedPortProblems(topology, LoopbackPort.IsFree) is { Count: > 0 } taken)
            {
                return Refuse(taken, errors, StartFailures.AddressUnavailable);
            }

            await EndLeftoversAsync(settings, facts, stop.Token).ConfigureAwait(false);
            var reporter = new ConsoleReporter(output, isTerminal: !Console.IsOutputRedirected);
            reporter.Line($"ClusterLlm, standalone host ({reason}); state and logs in {settings.Home}");
            if (agents is not null)
            {
                reporter.Line(agents);
            }

            using var host = new StandaloneHost(topology, settings, facts, reporter, TimeProvider.System);
            return await host.RunAsync(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Refuse([$"{settings.Home} can't be used: {failure.Message} Set AppHost:Home or CLUSTERLLM_HOME to a folder that can be written."], errors, CannotStart);
        }
    }

    /// <summary>Tells each problem in a line of its own and answers the exit code.</summary>
    public static int Refuse(IEnumerable<string> problems, TextWriter errors, int exitCode)
    {
        foreach (var problem in problems)
        {
            errors.WriteLine(problem);
        }

        return exitCode;
    }

    internal static string InUse(string home) => RunRecord.TryRead(home) is { } other
        ? $"A cluster runs already in {home}: process {other.Pid}, {other.Url}. End it first, or set CLUSTERLLM_HOME to another folder."
        : $"A cluster runs already in {home}. End it first, or set CLUSTERLLM_HOME to another folder.";

    internal static async Task EndLeftoversAsync(AppHostSettings settings, BuildFacts facts, CancellationToken cancellationToken)
    {
        if (RunRecord.TryRead(settings.Home) is { } record)
        {
            var programs = facts.Outputs.Values.Select(path => Path.GetFileNameWithoutExtension(path)).ToHashSet();
            await record.EndLeftoversAsync(programs, LeftoverLimit, cancellationToken).ConfigureAwait(false);
        }
    }
}
