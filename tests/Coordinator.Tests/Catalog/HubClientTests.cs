using System.Buffers.Binary;
using System.Text;
using ClusterLlm.Coordinator.Catalog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Tests.Catalog;

public sealed class HubClientTests
{
    private const string Config = """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100, "max_position_embeddings": 512, "quantization": {"bits": 4, "group_size": 64}}
        """;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Find_Model_ReadsHeadersByRangeAndNeverWeights()
    {
        await using var hub = await FakeHub.StartAsync(honoursRanges: true);
        using var http = new HttpClient();

        var answer = await Client(http, hub.Address).FindAsync("owner/tiny", Cancelled);

        Assert.Null(answer.Problem);
        Assert.Equal([3000, 3000], answer.Model!.Layers.Select(layer => layer.WeightBytes));
        Assert.Equal((1000, 0, true), (answer.Model.EmbeddingBytes, answer.Model.HeadBytes, answer.Model.TiedEmbeddings));
        Assert.Equal(4.5, answer.Model.WeightBits);
        Assert.True(hub.WeightBytesSent < 5000, $"{hub.WeightBytesSent} bytes of weight files were sent");
    }

    [Fact]
    public async Task Find_HubThatIgnoresRanges_StopsWithoutDownloading()
    {
        await using var hub = await FakeHub.StartAsync(honoursRanges: false);
        using var http = new HttpClient();

        Assert.Contains("whole file", (await Client(http, hub.Address).FindAsync("owner/tiny", Cancelled)).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Find_UnknownModel_SaysSo()
    {
        await using var hub = await FakeHub.StartAsync(honoursRanges: true);
        using var http = new HttpClient();

        Assert.Contains("no public model 'owner/none'", (await Client(http, hub.Address).FindAsync("owner/none", Cancelled)).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Find_Offline_GivesAClearMessage()
    {
        var hub = await FakeHub.StartAsync(honoursRanges: true);
        var address = hub.Address;
        await hub.DisposeAsync();
        using var http = new HttpClient();

        Assert.Contains("built-in catalogue", (await Client(http, address).FindAsync("owner/tiny", Cancelled)).Problem, StringComparison.Ordinal);
    }

    private static HubClient Client(HttpClient http, Uri address) => new(http, Options.Create(new HubOptions { Address = address }));

    /// <summary>A hub with one model in two files, on a free port of this machine.</summary>
    private sealed class FakeHub(WebApplication app) : IAsyncDisposable
    {
        private long _weightBytesSent;

        public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

        public long WeightBytesSent => Interlocked.Read(ref _weightBytesSent);

        public static async Task<FakeHub> StartAsync(bool honoursRanges)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
            var app = builder.Build();
            var hub = new FakeHub(app);
            app.MapGet("/owner/tiny/resolve/main/config.json", () => Config);
            app.MapGet("/owner/tiny/resolve/main/model.safetensors.index.json", () =>
                """{"weight_map": {"model.layers.0.mlp.up_proj.weight": "model-1.safetensors", "model.layers.1.mlp.up_proj.weight": "model-2.safetensors"}}""");
            app.MapGet("/owner/tiny/resolve/main/model-{number:int}.safetensors", (int number, HttpContext context) =>
            {
                var file = Weights(number - 1);
                Interlocked.Add(ref hub._weightBytesSent, context.Request.Headers.Range.Count > 0 ? 1000 : file.Length);
                return Results.Bytes(file, enableRangeProcessing: honoursRanges);
            });
            await app.StartAsync(Cancelled);
            return hub;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private static byte[] Weights(int layer)
        {
            var tensors = $$"""{"model.layers.{{layer}}.mlp.up_proj.weight": {"dtype": "U32", "shape": [750], "data_offsets": [0, 3000]}""";
            tensors += layer == 0 ? ""","model.embed_tokens.weight": {"dtype": "U32", "shape": [250], "data_offsets": [3000, 4000]}}""" : "}";
            var header = Encoding.UTF8.GetBytes(tensors);
            var file = new byte[8 + header.Length + 1_000_000];
            BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
            header.CopyTo(file, 8);
            return file;
        }
    }
}
