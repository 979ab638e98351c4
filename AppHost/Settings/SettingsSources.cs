using Microsoft.Extensions.Configuration;

namespace ClusterLlm.AppHost.Settings;

/// <summary>Where settings come from: appsettings.json, then the environment, then the command line.</summary>
internal static class SettingsSources
{
    public const string HomeVariable = "CLUSTERLLM_HOME";

    /// <summary>Double underscores stand for colons, as everywhere in .NET: <c>CLUSTERLLM__AppHost__Agents=2</c>.</summary>
    public const string EnvironmentPrefix = "CLUSTERLLM__";

    public static SettingsReading Read(string[] arguments)
    {
        var defaultHome = DefaultHome();
        var parsed = CommandLine.Parse(arguments);
        var configuration = new ConfigurationBuilder()
            .AddJsonFile(Path.Join(AppContext.BaseDirectory, "appsettings.json"), optional: true)
            .AddJsonFile(Path.Join(defaultHome, "appsettings.json"), optional: true)
            .AddEnvironmentVariables(EnvironmentPrefix)
            .AddInMemoryCollection(parsed.Values)
            .Build();
        var reading = SettingsReader.Read(configuration, defaultHome);
        return reading with { Problems = [.. parsed.Problems, .. reading.Problems] };
    }

    private static string DefaultHome()
    {
        var fromEnvironment = Environment.GetEnvironmentVariable(HomeVariable);
        return string.IsNullOrWhiteSpace(fromEnvironment)
            ? Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".clusterllm")
            : Path.GetFullPath(fromEnvironment);
    }
}
