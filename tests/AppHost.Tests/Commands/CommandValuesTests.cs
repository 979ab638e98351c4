using ClusterLlm.AppHost.Commands;

namespace ClusterLlm.AppHost.Tests.Commands;

public sealed class CommandValuesTests
{
    private static readonly CommandDescription Launch = ClusterCommands.Find(ClusterCommands.Launch);

    [Fact]
    public void Check_DefaultsAndAModel_IsFine()
    {
        var values = Launch.Arguments.ToDictionary(argument => argument.Name, argument => (string?)argument.Default);
        values["model"] = "demo-3m";

        Assert.Empty(CommandValues.Check(Launch, values));
    }

    [Theory]
    [InlineData("model", " ", "Model is missing.")]
    [InlineData("objective", "speed", "Objective is \"speed\"; it must be one of latency, throughput, capacity, all-nodes.")]
    [InlineData("contextTokens", "0", "Context is \"0\"; give a whole number from 1 to 16777216.")]
    [InlineData("contextTokens", "4k", "Context is \"4k\"; give a whole number from 1 to 16777216.")]
    [InlineData("concurrency", "99999999999", "Concurrency is \"99999999999\"; give a whole number from 1 to 4096.")]
    [InlineData("concurrency", "1.5", "Concurrency is \"1.5\"; give a whole number from 1 to 4096.")]
    [InlineData("frobnicate", "1", "There is no argument 'frobnicate'; known are model, objective, contextTokens, concurrency, nodes, name.")]
    public void Check_BadValue_IsToldAtItsArgument(string argument, string value, string expected)
    {
        var values = new Dictionary<string, string?> { ["model"] = "demo-3m", [argument] = value };

        Assert.Equal(expected, Assert.Single(CommandValues.Check(Launch, values), error => error.Key == argument).Value);
    }

    [Fact]
    public void Check_LongName_IsToldWithItsLength()
    {
        var values = new Dictionary<string, string?> { ["model"] = "demo-3m", ["name"] = new('a', 64) };

        Assert.Equal("Name has 64 characters; at most 63 are possible.", CommandValues.Check(Launch, values)["name"]);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData(" , ", null)]
    [InlineData("node-1,node-2", "node-1 node-2")]
    [InlineData(" node-1; node-3 ", "node-1 node-3")]
    public void Names_AnySeparator_AreSplit(string text, string? expected)
    {
        var names = CommandValues.Names(new Dictionary<string, string?> { ["nodes"] = text }, "nodes");

        Assert.Equal(expected, names is { } some ? string.Join(' ', some) : null);
    }

    [Fact]
    public void All_Names_AreUniqueAndHaveArgumentsWithLabels()
    {
        Assert.Distinct(ClusterCommands.All.Select(command => command.Name));
        Assert.All(ClusterCommands.All, command => Assert.All(command.Arguments, argument => Assert.NotEmpty(argument.Label)));
    }
}
