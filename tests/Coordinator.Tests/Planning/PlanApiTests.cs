using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClusterLlm.Coordinator.Tests.Fakes;

namespace ClusterLlm.Coordinator.Tests.Planning;

public sealed class PlanApiTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Plans_WhatIf_NeedsNoAgent()
    {
        await using var host = new CoordinatorHost();
        using var client = host.CreateClient();

        using var answer = await client.PostAsJsonAsync(
            "/api/plans", new { model = "qwen2.5-72b-4bit", contextTokens = 32768, machines = new[] { new { chip = "M4 Pro", memory = 64, link = "thunderbolt5", count = 2 } } }, Cancelled);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(2, body.GetProperty("plan").GetProperty("stages").GetArrayLength());
        Assert.InRange(body.GetProperty("predicted").GetProperty("decodeTokensPerSecond").GetProperty("value").GetDouble(), 4, 4.5);
        Assert.StartsWith("Only the cluster", body.GetProperty("comparison").GetProperty("verdict").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plans_TooBig_SaysHowMuchIsMissingAndWhatMoreWouldBring()
    {
        await using var host = new CoordinatorHost();
        using var client = host.CreateClient();

        using var answer = await client.PostAsJsonAsync(
            "/api/plans", new { model = "deepseek-v3-4bit", machines = "2 x M4 Pro 64GB", add = "M3 Ultra 512GB" }, Cancelled);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains("are missing", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("it fits", body.GetProperty("added").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plans_UnknownModel_OffersNames()
    {
        await using var host = new CoordinatorHost();
        using var client = host.CreateClient();

        using var answer = await client.PostAsJsonAsync("/api/plans", new { model = "qwen2.5-72b-5bit", machines = "M4 Pro 64GB" }, Cancelled);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("qwen2.5-72b-4bit", await answer.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/catalog/models", "deepseek-v3-4bit")]
    [InlineData("/api/catalog/chips", "M5 Max")]
    [InlineData("/api/catalog/links", "thunderbolt5")]
    public async Task Catalog_Lists(string path, string entry)
    {
        await using var host = new CoordinatorHost();
        using var client = host.CreateClient();

        Assert.Contains(entry, await client.GetStringAsync(path, Cancelled), StringComparison.Ordinal);
    }
}
