using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Cluster;

/// <summary>Runs the Coordinator to its end.</summary>
internal static class CoordinatorRun
{
    private const int PortInUse = 3;
    private const int BadSettings = 2;

    /// <returns>The exit code: 0 after a stop, 2 for settings that don't hold, 3 when a port is in use.</returns>
    public static async Task<int> RunToExitCodeAsync(this WebApplication app)
    {
        try
        {
            await app.StartAsync();
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            await Console.Error.WriteLineAsync(
                $"{e.Message} Set {ClusterOptions.SectionName}:HttpPort and {ClusterOptions.SectionName}:GrpcPort to other ports, or to 0 to have free ones chosen.");
            return PortInUse;
        }
        catch (OptionsValidationException e)
        {
            foreach (var failure in e.Failures)
            {
                await Console.Error.WriteLineAsync(failure);
            }

            return BadSettings;
        }
        finally
        {
            await app.DisposeAsync();
        }
    }
}
