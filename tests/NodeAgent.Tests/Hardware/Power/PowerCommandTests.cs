using ClusterLlm.NodeAgent.Hardware.Power;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Power;

public sealed class PowerCommandTests
{
    private const string Options = "--samplers cpu_power -i 1000 -b 1";

    [Theory]
    [InlineData(null, true, true, $"/usr/bin/powermetrics {Options}")]
    [InlineData(null, true, false, null)]
    [InlineData(null, false, true, null)]
    [InlineData("none", true, true, null)]
    [InlineData("/usr/bin/sudo  -n /usr/bin/powermetrics", true, false, $"/usr/bin/sudo -n /usr/bin/powermetrics {Options}")]
    public void Choose_SettingAndRights_NameTheProgram(string? setting, bool isMac, bool isRoot, string? command) =>
        Assert.Equal(command, PowerCommand.Choose(setting, isMac, isRoot)?.ToString());

    [Theory]
    [InlineData("")]
    [InlineData("powermetrics")]
    [InlineData("none of it")]
    public void Problem_NoProgramInFull_SaysWhatToWrite(string setting)
    {
        var problem = PowerCommand.Problem(setting);

        Assert.Contains($"Node:PowerCommand is '{setting}'", problem, StringComparison.Ordinal);
        Assert.Contains("/usr/bin/sudo -n /usr/bin/powermetrics", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("none")]
    [InlineData("/usr/bin/powermetrics")]
    public void Problem_GoodSetting_IsNone(string? setting) => Assert.Null(PowerCommand.Problem(setting));
}
