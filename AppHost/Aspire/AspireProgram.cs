using Aspire.Hosting;
using ClusterLlm.AppHost.Output;
using ClusterLlm.AppHost.Settings;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.AppHost.Aspire;

/// <summary>The Aspire host as a program: checks what can be checked first, then runs until it is asked to end.</summary>
internal static class AspireProgram
{
    private const int CannotStart = 1;

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
                return StandaloneProgram.Refuse([StandaloneProgram.InUse(settings.Home)], errors, CannotStart);
            }

            if (facts.Missing(topology) is { Count: > 0 } missing)
            {
                return StandaloneProgram.Refuse(missing, errors, CannotStart);
            }

            if (PortPolicy.FixedPortProblems(topology, LoopbackPort.IsFree) is { Count: > 0 } taken)
            {
                return StandaloneProgram.Refuse(taken, errors, StartFailures.AddressUnavailable);
            }

            await StandaloneProgram.EndLeftoversAsync(settings, facts, stop.Token).ConfigureAwait(false);
            var reporter = new ConsoleReporter(output, isTerminal: !Console.IsOutputRedirected);
            reporter.Line($"ClusterLlm, Aspire host ({reason}); state in {settings.Home}");
            if (agents is not null)
            {
                reporter.Line(agents);
            }

            var addresses = AspireAddresses.Choose(new ConfigurationBuilder().AddEnvironmentVariables().Build());
            using var host = new AspireHost(CreateBuilder(addresses.Arguments), topology, settings, reporter, TimeProvider.System);
            return await host.RunAsync(addresses.LoginUrl, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return StandaloneProgram.Refuse(
                [$"{settings.Home} can't be used: {failure.Message} Set AppHost:Home or CLUSTERLLM_HOME to a folder that can be written."], errors, CannotStart);
        }
        catch (DistributedApplicationException failure)
        {
            return StandaloneProgram.Refuse([$"Aspire does not start: {failure.Message} Build with -p:AspireHosting=false for the standalone host."], errors, CannotStart);
        }
    }

    /// <param name="arguments">Configuration of Aspire itself.</param>
    public static IDistributedApplicationBuilder CreateBuilder(string[] arguments)
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            Args = arguments,
            // Tests run in a program of another name; what the build wrote down is in this one.
            AssemblyName = typeof(AspireProgram).Assembly.GetName().Name,
            DashboardApplicationName = "ClusterLlm",
            // All of it is plain HTTP on loopback: advice about certificates would only worry.
            TrustDeveloperCertificate = false,
            DeveloperCertificateDefaultHttpsTerminationEnabled = false,
        });
        // The reporter tells the start; the details are in the dashboard.
        builder.Services.AddLogging(logging => logging.AddFilter("Aspire.Hosting", LogLevel.Warning).AddFilter("Microsoft", LogLevel.Warning));
        return builder;
    }
}
