/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "yamlfile.h"

#include <fcntl.h>

#define FILE_MAX (1U << 20)

/*
 * libyaml's loader needs time in the square of these: more than anyone writes
 * is refused before it starts.
 */
#define DEPTH_MAX 64
#define ANCHORS_MAX 1000

int yamlfile_locate(struct err *e, const char *path, yaml_mark_t at)
{
	return err_wrap(e, "%.300s:%zu:%zu", path, at.line + 1, at.column + 1);
}

/* Says what libyaml does not like about the text. */
static int refuse_yaml(struct err *e, const char *path, const yaml_parser_t *parser, const char *text)
{
	yaml_mark_t at = parser->problem_mark;

	if (parser->error == YAML_MEMORY_ERROR)
		return err_set(e, ENOMEM, "out of memory");
	if (parser->error == YAML_READER_ERROR) {
		/* It gives a byte's offset only. */
		at = (yaml_mark_t){ 0 };
		for (size_t i = 0; i < parser->problem_offset; i++) {
			at.column = text[i] == '\n' ? 0 : at.column + 1;
			at.line += text[i] == '\n';
		}
	}
	err_set(e, ERR_USAGE, "not valid YAML: %s; correct it there (indent with spaces, not tabs)",
		parser->problem ? parser->problem : "unknown problem");
	return yamlfile_locate(e, path, at);
}

static int start_parser(struct err *e, yaml_parser_t *parser, const char *text, size_t len)
{
	if (!yaml_parser_initialize(parser))
		return err_set(e, ENOMEM, "out of memory");
	yaml_parser_set_input_string(parser, (const unsigned char *)text, len);
	return 0;
}

struct shape {
	unsigned documents, depth, anchors; /* so far */
};

static void count(struct shape *s, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		s->documents++;
		break;
	case YAML_ALIAS_EVENT:
		anchor = event->data.alias.anchor;
		break;
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		s->depth++;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		s->depth++;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		s->depth--;
		break;
	default:
		break;
	}
	s->anchors += anchor != NULL;
}

static int check_shape(struct err *e, const struct shape *s)
{
	if (s->documents > 1)
		return err_set(e, ERR_USAGE, "there is a second document in the file; keep one");
	if (s->depth > DEPTH_MAX)
		return err_set(e, ERR_USAGE, "this is nested deeper than %d levels; make it flatter",
			       DEPTH_MAX);
	if (s->anchors > ANCHORS_MAX)
		return err_set(e, ERR_USAGE, "there are more than %d anchors and aliases; use fewer",
			       ANCHORS_MAX);
	return 0;
}

/* Checks that the text is one document of a shape that is safe to load. */
static int look_over(struct err *e, const char *path, const char *text, size_t len)
{
	CLEANUP(yaml_parser_delete) yaml_parser_t parser = { 0 };
	struct shape shape = { 0 };
	int ret = start_parser(e, &parser, text, len);

	for (bool more = true; ret == 0 && more;) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event))
			return refuse_yaml(e, path, &parser, text);
		count(&shape, &event);
		ret = check_shape(e, &shape);
		if (ret < 0)
			yamlfile_locate(e, path, event.start_mark);
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	return ret;
}

static int unreadable(struct err *e, const char *path)
{
	err_sys(e, errno, "cannot read %.300s", path);
	return err_advise(e, "name a readable YAML file");
}

/* Reads the whole file; *out is the caller's. -EFBIG above FILE_MAX. */
static int read_file(struct err *e, const char *path, char **out, size_t *len)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	CLEANUP_FREE char *text = NULL;
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return unreadable(e, path);
	text = malloc(FILE_MAX + 1);
	if (!text)
		return err_set(e, ENOMEM, "out of memory");
	do {
		got = read(fd, text + n, FILE_MAX + 1 - n);
		if (got > 0)
			n += (size_t)got;
	} while ((got > 0 && n <= FILE_MAX) || (got < 0 && errno == EINTR));
	if (got < 0)
		return unreadable(e, path);
	if (n > FILE_MAX)
		return err_set(e, EFBIG, "%.300s is larger than 1 MiB; name a YAML file", path);
	*out = steal_ptr(text);
	*len = n;
	return 0;
}

int yamlfile_load(struct err *e, const char *path, yaml_document_t *out)
{
	CLEANUP(yaml_parser_delete) yaml_parser_t parser = { 0 };
	CLEANUP_FREE char *text = NULL;
	yaml_document_t doc;
	size_t len = 0;
	int ret = read_file(e, path, &text, &len);

	if (ret == 0)
		ret = look_over(e, path, text, len);
	if (ret == 0)
		ret = start_parser(e, &parser, text, len);
	if (ret == 0 && !yaml_parser_load(&parser, &doc))
		ret = refuse_yaml(e, path, &parser, text);
	if (ret == 0)
		*out = doc;
	return ret;
}
