using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Configuration;

namespace ClusterLlm.AppHost.Settings;

/// <summary>Where settings come from: appsettings.json, then the environment, then the command line.</summary>
internal static class SettingsSources
{
    public static SettingsReading Read(string[] arguments)
    {
        var defaultHome = ClusterHome.From(new ConfigurationBuilder().AddEnvironmentVariables().Build()).Path;
        var parsed = CommandLine.Parse(arguments);
        try
        {
            var reading = SettingsReader.Read(Build(defaultHome, parsed), defaultHome);
            return reading with { Problems = [.. parsed.Problems, .. reading.Problems] };
        }
        catch (InvalidDataException malformed)
        {
            return new(new() { Home = defaultHome }, [StartFailures.Explain(malformed)?.Message ?? malformed.Message]);
        }
    }

    private static IConfigurationRoot Build(string defaultHome, CommandLineReading commandLine) =>
        new ConfigurationBuilder()
            .AddJsonFile(Path.Join(AppContext.BaseDirectory, "appsettings.json"), optional: true)
            .AddJsonFile(Path.Join(defaultHome, "appsettings.json"), optional: true)
            .AddEnvironmentVariables(ClusterSettings.EnvironmentPrefix)
            .AddInMemoryCollection(commandLine.Values)
            .Build();
}
