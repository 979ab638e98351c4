using ClusterLlm.AppHost.Settings;
using Microsoft.Extensions.Configuration;

namespace ClusterLlm.AppHost.Tests.Settings;

public sealed class SettingsTests
{
    [Fact]
    public void Read_Nothing_GivesTheDefaults() =>
        Assert.Equal(new AppHostSettings { Home = "/home" }, Read().Settings);

    [Fact]
    public void Read_EverySetting_IsTakenOver()
    {
        var reading = Read(
            "--AppHost:Agents=2", "--AppHost:AgentMemoryShare=0.25", "--AppHost:Demo", "off", "--AppHost:HttpPort=8000",
            "--AppHost:GrpcPort=8001", "--agent-port", "8002", "--apphost:loglevel=debug", "--AppHost:Home=/tmp/x");

        Assert.Empty(reading.Problems);
        Assert.Equal(
            new AppHostSettings
            {
                Home = "/tmp/x",
                Agents = 2,
                AgentsAreSet = true,
                AgentMemoryShare = 0.25,
                Demo = false,
                HttpPort = 8000,
                GrpcPort = 8001,
                AgentPort = 8002,
                LogLevel = "Debug",
            },
            reading.Settings);
    }

    [Theory]
    [InlineData("--AppHost:Agent=2", "AppHost:Agent is not a setting; did you mean AppHost:Agents? --help lists all.")]
    [InlineData("--AppHost:Xyzzy=2", "AppHost:Xyzzy is not a setting; --help lists them.")]
    [InlineData("--AppHost:Agents=-1", "AppHost:Agents is \"-1\": a whole number from 0 to 64 is needed.")]
    [InlineData("--AppHost:Agents=three", "AppHost:Agents is \"three\": a whole number from 0 to 64 is needed.")]
    [InlineData("--AppHost:AgentMemoryShare=NaN", "AppHost:AgentMemoryShare is \"NaN\": a number above 0 and at most 1 is needed, for example 0.3.")]
    [InlineData("--AppHost:AgentMemoryShare=1.5", "AppHost:AgentMemoryShare is \"1.5\": a number above 0 and at most 1 is needed, for example 0.3.")]
    [InlineData("--AppHost:Demo=maybe", "AppHost:Demo is \"maybe\": true or false is needed.")]
    [InlineData("--AppHost:HttpPort=70000", "AppHost:HttpPort is \"70000\": a whole number from 0 to 65535 is needed.")]
    [InlineData("--AppHost:HttpPort=7430 --AppHost:AgentPort=7430", "AppHost:HttpPort and AppHost:AgentPort (agent 1) are both 7430: each needs a port of its own.")]
    [InlineData("--AppHost:AgentPort=65534", "AppHost:AgentPort (agent 3) would be 65536: ports end at 65535.")]
    [InlineData("--AppHost:Home=", "AppHost:Home is \"\": a folder is needed.")]
    [InlineData("--AppHost:LogLevel=Loud", "AppHost:LogLevel is \"Loud\": one of Trace, Debug, Information, Warning, Error is needed.")]
    [InlineData("--agents", "--agents has no value; write --agents=VALUE.")]
    [InlineData("agents", "\"agents\" is not understood; settings are written --AppHost:Agents=2, --help lists them.")]
    public void Read_BadSetting_SaysWhatIsWrong(string arguments, string problem) =>
        Assert.Equal([problem], Read(arguments.Split(' ')).Problems);

    [Fact]
    public void Write_Help_NamesEverySetting() =>
        Assert.All(SettingDescription.All, setting => Assert.Contains($"--AppHost:{setting.Name}", HelpText.Write()));

    private static SettingsReading Read(params string[] arguments)
    {
        var parsed = CommandLine.Parse(arguments);
        var reading = SettingsReader.Read(new ConfigurationBuilder().AddInMemoryCollection(parsed.Values).Build(), "/home");
        return reading with { Problems = [.. parsed.Problems, .. reading.Problems] };
    }
}
