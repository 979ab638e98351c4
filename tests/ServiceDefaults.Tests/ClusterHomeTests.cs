namespace ClusterLlm.ServiceDefaults.Tests;

public sealed class ClusterHomeTests
{
    [Theory]
    [InlineData(null, "/home/ada/.clusterllm")]
    [InlineData("", "/home/ada/.clusterllm")]
    [InlineData("/data/cluster", "/data/cluster")]
    [InlineData("~", "/home/ada")]
    [InlineData("~/llm", "/home/ada/llm")]
    public void Resolve_Setting_GivesAbsolutePath(string? setting, string expected) =>
        Assert.Equal(expected, ClusterHome.Resolve(setting, "/home/ada").Path);

    [Fact]
    public void Resolve_UserWithoutFolder_UsesTemporaryFolder() =>
        Assert.Equal(Path.GetFullPath(Path.Combine(Path.GetTempPath(), ".clusterllm")), ClusterHome.Resolve(null, "").Path);
}
