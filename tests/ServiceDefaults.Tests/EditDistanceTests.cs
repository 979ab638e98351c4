namespace ClusterLlm.ServiceDefaults.Tests;

public sealed class EditDistanceTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("node", "node", 0)]
    [InlineData("flaw", "lawn", 2)]
    public void Between_TwoWords_CountsEdits(string first, string second, int expected) =>
        Assert.Equal((expected, expected), (EditDistance.Between(first, second), EditDistance.Between(second, first)));
}
