using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using ClusterLlm.Coordinator.Security;
using ClusterLlm.Coordinator.Tests.Fakes;
using Microsoft.AspNetCore.Http;

namespace ClusterLlm.Coordinator.Tests.Security;

/// <summary>Keys, browsers and names before the HTTP API.</summary>
public sealed class ApiGuardTests
{
    [Theory]
    [InlineData("GET", "/alive", ApiScopes.None)]
    [InlineData("GET", "/health", ApiScopes.None)]
    [InlineData("GET", "/api/authority", ApiScopes.None)]
    [InlineData("GET", "/v1/models", ApiScopes.Inference)]
    [InlineData("POST", "/v1/chat/completions", ApiScopes.Inference)]
    [InlineData("GET", "/api/nodes", ApiScopes.Read)]
    [InlineData("POST", "/api/plans", ApiScopes.Read)]
    [InlineData("POST", "/api/deployments", ApiScopes.Admin)]
    [InlineData("DELETE", "/api/nodes/node-1", ApiScopes.Admin)]
    [InlineData("POST", "/api/authority", ApiScopes.Admin)]
    [InlineData("GET", "/docs", ApiScopes.Read)]
    public void Needed_Request_IsTheLeastThatFits(string method, string path, object scope) =>
        Assert.Equal(scope, ApiScopeRules.Needed(method, new PathString(path)));

    [Theory]
    [InlineData("inference", true)]
    [InlineData("read, ADMIN", true)]
    [InlineData("", false)]
    [InlineData("read,everything", false)]
    public void Parse_Names_AreKnownOrRefused(string names, bool known) => Assert.Equal(known, ApiScopeRules.Parse(names.Split(',')) is not null);

    [Fact(Timeout = 120_000)]
    public async Task Keys_Required_ScopesDecide()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost().With("Security:RequireApiKeys", "true");
        using var http = host.CreateClient();
        var admin = await File.ReadAllTextAsync(Path.Combine(host.Home, "run", "local-key"), cancelled);
        var inference = await CreateKeyAsync(http, admin, "inference");
        var read = await CreateKeyAsync(http, admin, "read");

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(http, HttpMethod.Get, "/api/nodes", key: null));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(http, HttpMethod.Get, "/v1/models", key: null));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, HttpMethod.Get, "/alive", key: null));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, HttpMethod.Get, "/v1/models", inference.Key));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http, HttpMethod.Get, "/api/nodes", inference.Key));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, HttpMethod.Get, "/api/nodes", read.Key));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http, HttpMethod.Delete, "/api/nodes/x", read.Key));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(http, HttpMethod.Delete, "/api/nodes/x", admin));

        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync(http, HttpMethod.Delete, $"/api/keys/{inference.Id}", admin));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(http, HttpMethod.Get, "/v1/models", inference.Key));
        var listed = await GetTextAsync(http, "/api/keys", admin);
        Assert.DoesNotContain(inference.Key, listed, StringComparison.Ordinal);
        Assert.Contains(inference.Id, listed, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Keys_WrongOnes_AreRefusedInOpenAiShapeAndThenSlowedDown()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost().With("Security:RequireApiKeys", "true");
        using var http = host.CreateClient();
        using var request = Request(HttpMethod.Get, "/v1/models", "cllm_abcdefgh_abcdefghijklmnopqrstuvwxyz234567");
        using var response = await http.SendAsync(request, cancelled);
        var error = (await response.Content.ReadFromJsonAsync<JsonElement>(cancelled)).GetProperty("error");

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("invalid_api_key", error.GetProperty("code").GetString());
        for (var attempt = 0; attempt < AttemptLimiter.FreeAttempts; attempt++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(http, HttpMethod.Get, "/v1/models", $"cllm_a_{attempt}"));
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(http, HttpMethod.Get, "/v1/models", "cllm_a_b"));
    }

    [Theory]
    [InlineData("", "", "", true)]
    [InlineData("http://127.0.0.1:7420", "same-origin", "cors", true)]
    [InlineData("http://localhost:3000", "cross-site", "cors", true)]
    [InlineData("http://127.0.0.1:9999", "same-site", "cors", false)]
    [InlineData("https://evil.example", "cross-site", "no-cors", false)]
    [InlineData("null", "cross-site", "no-cors", false)]
    [InlineData("", "cross-site", "no-cors", false)]
    [InlineData("", "cross-site", "navigate", true)]
    [InlineData("", "none", "navigate", true)]
    public void Problem_BrowsersRequest_OnlyOwnAndNamedPagesAreAnswered(string origin, string site, string mode, bool answered) =>
        Assert.Equal(answered, BrowserRules.Problem(origin, "http://127.0.0.1:7420", site, mode, ["http://localhost:3000"]) is null);

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("[::1]", true)]
    [InlineData("192.168.1.5", true)]
    [InlineData("studio", true)]
    [InlineData("Studio.local.", true)]
    [InlineData("llm.example.org", true)]
    [InlineData("rebind.evil.example", false)]
    [InlineData("", false)]
    public void Allows_HostName_OnlyOwnOnesAndAddresses(string host, bool allowed) =>
        Assert.Equal(allowed, new HostNames(["llm.example.org"], "studio").Allows(host));

    [Fact(Timeout = 120_000)]
    public async Task Browser_PageOfAnotherSite_CannotLaunchOrRead()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        using var http = host.CreateClient();
        using var launch = new HttpRequestMessage(HttpMethod.Post, "/api/deployments") { Content = new StringContent("{}", System.Text.Encoding.UTF8, "text/plain") };
        launch.Headers.Add("Origin", "https://evil.example");
        using var launched = await http.SendAsync(launch, cancelled);
        using var rebound = new HttpRequestMessage(HttpMethod.Get, "/api/nodes") { Headers = { Host = "rebind.evil.example" } };
        using var read = await http.SendAsync(rebound, cancelled);

        Assert.Equal(HttpStatusCode.Forbidden, launched.StatusCode);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, read.StatusCode);
    }

    private static async Task<(string Id, string Key)> CreateKeyAsync(HttpClient http, string admin, string scope)
    {
        using var request = Request(HttpMethod.Post, "/api/keys", admin);
        request.Content = JsonContent.Create(new { name = $"test {scope}", scopes = new[] { scope } });
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var created = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        return (created.GetProperty("id").GetString()!, created.GetProperty("key").GetString()!);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, HttpMethod method, string path, string? key)
    {
        using var request = Request(method, path, key);
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    private static async Task<string> GetTextAsync(HttpClient http, string path, string key)
    {
        using var request = Request(HttpMethod.Get, path, key);
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, string? key)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        return request;
    }
}
