/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "yamlfile.h"
#include "infile.h"

#include <string.h>
#include <yaml.h>

#define FILE_MAX (1U << 20)

/*
 * What libyaml and an anchor's search need grows with the square of these: more
 * than anyone writes is refused.
 */
#define DEPTH_MAX 64
#define ANCHORS_MAX 1000

struct anchor {
	char *name; /* owned */
	size_t node;
};

struct builder {
	struct err *e;
	const char *name; /* what errors call the text */
	enum yamlfile_form form;
	yaml_parser_t parser;
	struct yamlfile doc;
	size_t texts_len, texts_size;
	size_t open[DEPTH_MAX]; /* the lists and mappings that are not closed yet, by number */
	size_t depth, documents, references; /* references: anchors and aliases */
	struct anchor *anchors;              /* owned */
	size_t n_anchors;
};

static void builder_clear(struct builder *b)
{
	for (size_t i = 0; i < b->n_anchors; i++)
		free(b->anchors[i].name);
	free(b->anchors);
	yamlfile_clear(&b->doc);
	yaml_parser_delete(&b->parser);
}

void yamlfile_clear(struct yamlfile *y)
{
	free(y->nodes);
	free(y->texts);
	*y = (struct yamlfile){ 0 };
}

const struct yamlfile_node *yamlfile_root(const struct yamlfile *y)
{
	return y->nodes;
}

const struct yamlfile_node *yamlfile_first(const struct yamlfile_node *parent)
{
	return parent + 1;
}

const struct yamlfile_node *yamlfile_next(const struct yamlfile_node *node)
{
	return node + (node->kind == YAMLFILE_LIST || node->kind == YAMLFILE_MAPPING ? node->size : 1);
}

const struct yamlfile_node *yamlfile_target(const struct yamlfile_node *node)
{
	return node->kind == YAMLFILE_ALIAS ? node - node->back : node;
}

int yamlfile_locate(struct err *e, const char *path, struct yamlfile_mark at)
{
	return err_wrap(e, "%.300s:%u:%u", path, at.line + 1, at.column + 1);
}

static struct yamlfile_mark mark_of(yaml_mark_t at)
{
	return (struct yamlfile_mark){ (uint32_t)at.line, (uint32_t)at.column };
}

static int out_of_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static int refuse(const struct builder *b, yaml_mark_t at, const char *problem)
{
	if (b->form == YAMLFILE_JSON)
		err_set(b->e, ERR_USAGE, "not valid JSON: %s", problem);
	else
		err_set(b->e, ERR_USAGE,
			"not valid YAML: %s; correct it there (indent with spaces, not tabs)", problem);
	return yamlfile_locate(b->e, b->name, mark_of(at));
}

/* Says what libyaml does not like about the text. */
static int refuse_parsed(const struct builder *b, const char *text)
{
	const yaml_parser_t *parser = &b->parser;
	yaml_mark_t at = parser->problem_mark;

	if (parser->error == YAML_MEMORY_ERROR)
		return out_of_memory(b->e);
	if (parser->error == YAML_READER_ERROR) {
		/* It gives a byte's offset only. */
		at = (yaml_mark_t){ 0 };
		for (size_t i = 0; i < parser->problem_offset; i++) {
			at.column = text[i] == '\n' ? 0 : at.column + 1;
			at.line += text[i] == '\n';
		}
	}
	return refuse(b, at, parser->problem ? parser->problem : "unknown problem");
}

static struct anchor *find_anchor(const struct builder *b, const yaml_char_t *name)
{
	for (size_t i = 0; i < b->n_anchors; i++)
		if (strcmp(b->anchors[i].name, (const char *)name) == 0)
			return &b->anchors[i];
	return NULL;
}

/* Bounds, and what this form of text may not refer to. */
static int count_reference(struct builder *b, const yaml_event_t *event)
{
	b->references++;
	if (b->form != YAMLFILE_YAML)
		err_set(b->e, ERR_USAGE,
			"aliases are not supported; write the value itself, without & and *");
	else if (b->references > ANCHORS_MAX)
		err_set(b->e, ERR_USAGE, "there are more than %d anchors and aliases; use fewer",
			ANCHORS_MAX);
	else
		return 0;
	return yamlfile_locate(b->e, b->name, mark_of(event->start_mark));
}

static int add_anchor(struct builder *b, const yaml_event_t *event, const yaml_char_t *name, size_t node)
{
	struct anchor anchor = { .node = node };

	if (count_reference(b, event) < 0)
		return -b->e->code;
	if (find_anchor(b, name))
		return refuse(b, event->start_mark, "second occurrence");
	anchor.name = strdup((const char *)name);
	if (!anchor.name || base_reserve((void **)&b->anchors, b->n_anchors, sizeof(anchor)) < 0) {
		free(anchor.name);
		return out_of_memory(b->e);
	}
	b->anchors[b->n_anchors++] = anchor;
	return 0;
}

static int add_node(struct builder *b, enum yamlfile_kind kind, const yaml_event_t *event)
{
	struct yamlfile *doc = &b->doc;

	if (base_reserve((void **)&doc->nodes, doc->n_nodes, sizeof(*doc->nodes)) < 0)
		return out_of_memory(b->e);
	doc->nodes[doc->n_nodes++] =
		(struct yamlfile_node){ .kind = (uint8_t)kind, .at = mark_of(event->start_mark) };
	if (b->depth > 0)
		doc->nodes[b->open[b->depth - 1]].n++;
	return 0;
}

/* Puts a text behind the others; *out is where it begins, as they all may move until the last one is there. */
static int add_text(struct builder *b, const yaml_char_t *text, size_t len, size_t *out)
{
	size_t wanted = b->texts_len + len + 1;

	if (wanted > b->texts_size) {
		char *grown = realloc(b->doc.texts, wanted * 2);

		if (!grown)
			return out_of_memory(b->e);
		b->doc.texts = grown;
		b->texts_size = wanted * 2;
	}
	*out = b->texts_len;
	memcpy(b->doc.texts + b->texts_len, text, len);
	b->doc.texts[wanted - 1] = '\0';
	b->texts_len = wanted;
	return 0;
}

/* The place among the texts, which has been kept in size, becomes a pointer. */
static void point_at_texts(struct yamlfile *doc)
{
	for (size_t i = 0; i < doc->n_nodes; i++)
		if (doc->nodes[i].kind == YAMLFILE_SCALAR)
			doc->nodes[i].text = doc->texts + doc->nodes[i].size;
}

static int add_scalar(struct builder *b, const yaml_event_t *event)
{
	const yaml_char_t *anchor = event->data.scalar.anchor;
	size_t len = event->data.scalar.length;
	struct yamlfile_node *node;

	if (add_node(b, YAMLFILE_SCALAR, event) < 0)
		return -b->e->code;
	node = &b->doc.nodes[b->doc.n_nodes - 1];
	node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->n = (uint32_t)len;
	if (add_text(b, event->data.scalar.value, len, &node->size) < 0)
		return -b->e->code;
	return anchor ? add_anchor(b, event, anchor, b->doc.n_nodes - 1) : 0;
}

static int enter(struct builder *b, enum yamlfile_kind kind, const yaml_event_t *event, const yaml_char_t *anchor)
{
	size_t node = b->doc.n_nodes;

	if (b->depth == DEPTH_MAX) {
		err_set(b->e, ERR_USAGE, "this is nested deeper than %d levels; make it flatter", DEPTH_MAX);
		return yamlfile_locate(b->e, b->name, mark_of(event->start_mark));
	}
	if (add_node(b, kind, event) < 0 || (anchor && add_anchor(b, event, anchor, node) < 0))
		return -b->e->code;
	b->open[b->depth++] = node;
	return 0;
}

static void leave(struct builder *b)
{
	size_t node = b->open[--b->depth];

	b->doc.nodes[node].size = b->doc.n_nodes - node;
}

static int refer(struct builder *b, const yaml_event_t *event)
{
	const struct anchor *anchor;
	size_t node = b->doc.n_nodes;

	if (count_reference(b, event) < 0)
		return -b->e->code;
	anchor = find_anchor(b, event->data.alias.anchor);
	if (!anchor)
		return refuse(b, event->start_mark, "found undefined alias");
	if (add_node(b, YAMLFILE_ALIAS, event) < 0)
		return -b->e->code;
	b->doc.nodes[node].back = node - anchor->node;
	return 0;
}

static int begin_document(struct builder *b, const yaml_event_t *event)
{
	if (b->documents++ == 0)
		return 0;
	err_set(b->e, ERR_USAGE, "there is a second document in the file; keep one");
	return yamlfile_locate(b->e, b->name, mark_of(event->start_mark));
}

static int build(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return begin_document(b, event);
	case YAML_ALIAS_EVENT:
		return refer(b, event);
	case YAML_SCALAR_EVENT:
		return add_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return enter(b, YAMLFILE_LIST, event, event->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return enter(b, YAMLFILE_MAPPING, event, event->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		leave(b);
		return 0;
	default:
		return 0;
	}
}

/* RFC 8259, 6. */
static bool is_json_number(const char *text)
{
	static const char digits[] = "0123456789";
	size_t n;

	text += text[0] == '-';
	n = strspn(text, digits);
	if (n == 0 || (text[0] == '0' && n > 1))
		return false;
	text += n;
	if (text[0] == '.') {
		n = strspn(text + 1, digits);
		text += n > 0 ? n + 1 : 0;
	}
	if (text[0] == 'e' || text[0] == 'E') {
		size_t sign = text[1] == '+' || text[1] == '-';

		n = strspn(text + 1 + sign, digits);
		text += n > 0 ? n + 1 + sign : 0;
	}
	return text[0] == '\0';
}

/* RFC 8259, 3: what is not a string. */
static bool is_json_literal(const char *text)
{
	return strcmp(text, "true") == 0 || strcmp(text, "false") == 0 || strcmp(text, "null") == 0 ||
	       is_json_number(text);
}

/* Is the next node a mapping's key? */
static bool expects_key(struct builder *b)
{
	const struct yamlfile_node *in = b->depth > 0 ? &b->doc.nodes[b->open[b->depth - 1]] : NULL;

	return in && in->kind == YAMLFILE_MAPPING && in->n % 2 == 0;
}

#define NO_OBJECT "this is not an object in braces"

static const char *not_json_scalar(struct builder *b, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	yaml_scalar_style_t style = event->data.scalar.style;

	if (b->depth == 0)
		return NO_OBJECT;
	if (event->data.scalar.tag)
		return "there is a tag";
	if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		return NULL;
	if (expects_key(b))
		return "a name is not in double quotes";
	if (style == YAML_PLAIN_SCALAR_STYLE && is_json_literal(text))
		return NULL;
	return "this is no value; write text in double quotes";
}

static const char *not_json_collection(struct builder *b, const yaml_event_t *event)
{
	bool is_mapping = event->type == YAML_MAPPING_START_EVENT;
	bool in_flow = is_mapping ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
				  : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;

	if (b->depth == 0 && !(is_mapping && in_flow))
		return NO_OBJECT;
	if (is_mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag)
		return "there is a tag";
	if (expects_key(b))
		return "a name is not a text";
	return in_flow ? NULL : "there are no braces or brackets";
}

/* What of this event JSON does not have, or NULL. */
static const char *not_json(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return event->data.document_start.implicit ? NULL : NO_OBJECT;
	case YAML_DOCUMENT_END_EVENT:
		return event->data.document_end.implicit ? NULL : "something follows the object";
	case YAML_SCALAR_EVENT:
		return not_json_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return not_json_collection(b, event);
	default:
		return NULL;
	}
}

static int take(struct builder *b, const yaml_event_t *event)
{
	const char *problem = b->form == YAMLFILE_JSON ? not_json(b, event) : NULL;

	return problem ? refuse(b, event->start_mark, problem) : build(b, event);
}

int yamlfile_parse(struct err *e, const char *name, const char *text, size_t len, enum yamlfile_form form,
		   struct yamlfile *out)
{
	CLEANUP(builder_clear) struct builder b = { .e = e, .name = name, .form = form };
	int ret = 0;

	if (!yaml_parser_initialize(&b.parser))
		return out_of_memory(e);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, len);
	for (bool more = true; ret == 0 && more;) {
		yaml_event_t event;

		if (!yaml_parser_parse(&b.parser, &event))
			return refuse_parsed(&b, text);
		ret = take(&b, &event);
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	if (ret < 0)
		return ret;
	point_at_texts(&b.doc);
	*out = b.doc;
	b.doc = (struct yamlfile){ 0 };
	return 0;
}

static int unreadable(struct err *e, const char *name)
{
	return err_sys(e, errno ? errno : EIO, "cannot read %.300s", name);
}

static int too_large(struct err *e, const char *name, size_t max)
{
	bool is_mib = max % (1U << 20) == 0;

	return err_set(e, EFBIG, "%.300s is larger than %zu %s", name, max >> (is_mib ? 20 : 10),
		       is_mib ? "MiB" : "KiB");
}

int yamlfile_read(struct err *e, FILE *in, const char *name, size_t max, char **text, size_t *len)
{
	CLEANUP_FREE char *got = NULL;
	size_t n = 0, size = 0;

	do {
		size = size == 0 ? 1U << 14 : size * 2;
		size = size < max + 1 ? size : max + 1;
		char *grown = realloc(got, size + 1);

		if (!grown)
			return out_of_memory(e);
		got = grown;
		errno = 0;
		n += fread(got + n, 1, size - n, in);
	} while (n == size && n <= max);
	if (ferror(in))
		return unreadable(e, name);
	if (n > max)
		return too_large(e, name, max);
	got[n] = '\0';
	*text = steal_ptr(got);
	*len = n;
	return 0;
}

static int read_file(struct err *e, const char *path, char **text, size_t *len)
{
	FILE *in;
	int ret;

	if (infile_open(e, path, &in) < 0)
		return -e->code;
	ret = yamlfile_read(e, in, path, FILE_MAX, text, len);
	fclose(in);
	return ret;
}

int yamlfile_load(struct err *e, const char *path, struct yamlfile *out)
{
	CLEANUP_FREE char *text = NULL;
	size_t len = 0;

	if (read_file(e, path, &text, &len) < 0) {
		if (e->code == ENOMEM)
			return -ENOMEM;
		return err_advise(e, e->code == EFBIG ? "name a YAML file" : "name a readable YAML file");
	}
	return yamlfile_parse(e, path, text, len, YAMLFILE_YAML, out);
}
