namespace ClusterLlm.ServiceDefaults.Tests;

public sealed class NearestNamesTests
{
    [Fact]
    public void Find_FarNames_AreLeftOut() => Assert.Empty(NearestNames.Find("llama", ["something-else-entirely"], 3));

    [Fact]
    public void Find_Prefixes_AreNear() => Assert.Equal(["Qwen2.5-7B-Instruct"], NearestNames.Find("qwen2.5", ["Qwen2.5-7B-Instruct", "demo"], 3));

    [Fact]
    public void Find_OtherCase_IsTheNearest() => Assert.Equal(["Node-1", "node-2"], NearestNames.Find("node-1", ["node-2", "Node-1"], 3));
}
