namespace ClusterLlm.AppHost.Settings;

/// <summary>What <c>--help</c> prints.</summary>
internal static class HelpText
{
    public static bool IsAsked(IEnumerable<string> arguments) => arguments.Any(argument => argument is "--help" or "-h" or "-?");

    public static string Write()
    {
        var lines = SettingDescription.All.Select(setting =>
            $"  --AppHost:{setting.Name,-18} {setting.Help} (default {setting.Default})");
        return $"""
            Starts a ClusterLlm cluster on this machine: a Coordinator, local NodeAgents, and the demo deployment. Ctrl+C ends everything.

              dotnet run --project AppHost [-- --AppHost:SETTING=VALUE …]

            {string.Join('\n', lines)}

            The same settings are read from CLUSTERLLM__AppHost__SETTING in the environment and from appsettings.json in CLUSTERLLM_HOME.
            """;
    }
}
