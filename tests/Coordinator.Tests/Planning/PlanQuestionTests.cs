using System.Text;
using ClusterLlm.Coordinator.Planning;

namespace ClusterLlm.Coordinator.Tests.Planning;

public sealed class PlanQuestionTests
{
    [Theory]
    [InlineData("2 x M4 Pro 64GB", 2, "M4 Pro", 64, 0)]
    [InlineData("M3 Ultra 512GB 80c", 1, "M3 Ultra", 512, 80)]
    [InlineData("3×M4 16 GB", 3, "M4", 16, 0)]
    public void Parse_Machines_AsPeopleWriteThem(string text, int count, string chip, double memory, int cores)
    {
        var (machines, problem) = MachineText.Parse(text);

        Assert.Null(problem);
        Assert.Equal(count, machines.Length);
        Assert.Equal(new Machine(chip, memory, cores, null, null), machines[0]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("M4 Pro")]
    [InlineData("64GB")]
    [InlineData("0 x M4 Pro 64GB")]
    [InlineData("9999 x M4 Pro 64GB")]
    [InlineData("M4 Pro -64GB")]
    public void Parse_NoMachine_SaysHowToWriteOne(string text) => Assert.NotNull(MachineText.Parse(text).Problem);

    [Theory]
    [InlineData("""{"model": "m", "machines": [{"chip": "M4 Pro", "memory": -64}]}""", "machines", "-64")]
    [InlineData("""{"model": "m", "machines": [{"chip": "M4 Pro", "memory": 1e12}]}""", "machines", "1000000000000")]
    [InlineData("""{"model": "m", "machines": [{"memory": 64}]}""", "machines", "chip is missing")]
    [InlineData("""{"model": "m", "machines": [{"chip": "M4 Pro", "memory": 64, "link": "string"}]}""", "machines", "known links")]
    [InlineData("""{"model": "m", "machines": 7}""", "machines", "7")]
    [InlineData("""{"model": "m", "reserveBytes": -1}""", "reserveBytes", "-1")]
    [InlineData("""{"model": "m", "memoryCapBytes": {"n": "x"}}""", "memoryCapBytes.n", "x")]
    [InlineData("""{"model": "m", "pinnedLayers": {"n": [5, 2]}}""", "pinnedLayers.n", "[5, 2]")]
    [InlineData("""{"model": "m", "contextTokens": 0}""", "contextTokens", "0")]
    [InlineData("""{"model": "m", "machinez": []}""", "machinez", "machines")]
    public void Read_BadField_NamesFieldValueAndRemedy(string json, string field, string expected)
    {
        var (question, errors) = PlanQuestionReader.Read(Encoding.UTF8.GetBytes(json));

        Assert.Null(question);
        Assert.Contains(expected, string.Join(' ', Assert.Contains(field, errors)), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AllFields_BuildTheRequest()
    {
        var (question, errors) = PlanQuestionReader.Read(
            """
            {"model": "m", "objective": "throughput", "contextTokens": 100, "concurrency": 3, "machines": "2 x M4 Pro 64GB", "add": {"chip": "M4", "memory": "16GB", "link": "wifi"},
             "link": "thunderbolt5", "excludeNodes": ["a"], "memoryCapBytes": {"b": 5}, "reserveBytes": 7, "pinnedLayers": {"c": [0, 2]}, "promptTokens": 50, "useAllNodes": true}
            """u8.ToArray());

        Assert.Empty(errors);
        Assert.Equal(2, question!.Machines.Length);
        Assert.Equal(new Machine("M4", 16, 0, null, "wifi"), Assert.Single(question.Added));
        Assert.Equal(("thunderbolt5", 7, 50, true), (question.Spec.Constraints.Link, question.Spec.Constraints.ReserveBytes, question.Spec.Constraints.PromptTokens, question.Spec.Constraints.UseAllNodes));
    }
}
