using Microsoft.Extensions.Configuration;

namespace ClusterLlm.ServiceDefaults.Tests;

public sealed class ClusterSettingsTests
{
    [Fact]
    public void AddClusterSettings_PrefixedVariable_BeatsFilesAndLosesToCommandLine()
    {
        using var _ = new EnvironmentVariable("CLUSTERLLM__Guarded__Id", "from-environment");
        using var __ = new EnvironmentVariable("CLUSTERLLM__Guarded__Name", "from-environment");
        using var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection([new("Guarded:Id", "from-file"), new("Guarded:Name", "from-file")]);
        configuration.AddCommandLine(["--Guarded:Name=from-command-line"]);

        configuration.AddClusterSettings();

        Assert.Equal("from-environment", configuration["Guarded:Id"]);
        Assert.Equal("from-command-line", configuration["Guarded:Name"]);
    }

    [Fact]
    public void AddClusterSettings_LogLevel_IsCalmUntilSettingsSayOtherwise()
    {
        using var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection([new("Logging:LogLevel:Grpc", "Debug")]);

        configuration.AddClusterSettings();

        Assert.Equal("Debug", configuration["Logging:LogLevel:Grpc"]);
        Assert.Equal("Warning", configuration["Logging:LogLevel:Microsoft"]);
    }

    private sealed class EnvironmentVariable : IDisposable
    {
        private readonly string _name;

        public EnvironmentVariable(string name, string value)
        {
            _name = name;
            Environment.SetEnvironmentVariable(name, value);
        }

        public void Dispose() => Environment.SetEnvironmentVariable(_name, null);
    }
}
